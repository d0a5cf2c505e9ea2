//! Which addresses are asked, with a resolver that says what a test wants it to.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use tokio::net::TcpListener;

use super::*;

/// A resolver that says one thing after the other, as somebody does who rebinds a name.
#[derive(Clone)]
struct Saying(Arc<Mutex<Vec<Vec<IpAddr>>>>);

impl Saying {
    fn new(answers: &[&[&str]]) -> Self {
        let parsed = |answer: &&[&str]| answer.iter().map(|address| address.parse().unwrap()).collect();
        Self(Arc::new(Mutex::new(answers.iter().rev().map(parsed).collect())))
    }

    fn left(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

impl Lookup for Saying {
    fn lookup(&self, _: String) -> Pending<io::Result<Vec<IpAddr>>> {
        let next = self.0.lock().unwrap().pop();
        Box::pin(async move { next.ok_or_else(|| io::Error::other("nobody asks so often")) })
    }
}

fn fetch(saying: &Saying, allowed: &[&str]) -> HttpFetch {
    let allowed = NetworkSet::parse(allowed.iter().copied()).unwrap();
    let tls = crate::tls::client::trusting_system().unwrap();
    HttpFetch::looking_up(&tls, 0, allowed, saying.clone())
}

async fn refused(fetch: &HttpFetch, url: &str) -> String {
    match fetch.fetch(FetchRequest::get(url)).await.unwrap_err() {
        FetchError::Unreachable(why) => why,
        other => panic!("{url}: {other:?}"),
    }
}

/// A listener, once to wait for somebody and once to see at once whether somebody is there.
struct Listener {
    waiting: TcpListener,
    looking: std::net::TcpListener,
    port: u16,
}

impl Listener {
    fn bind(at: Ipv4Addr, port: u16) -> Self {
        let looking = std::net::TcpListener::bind((at, port)).unwrap();
        looking.set_nonblocking(true).unwrap();
        let waiting = TcpListener::from_std(looking.try_clone().unwrap()).unwrap();
        Self { port: looking.local_addr().unwrap().port(), waiting, looking }
    }

    fn was_reached(&self) -> bool {
        self.looking.accept().is_ok()
    }
}

/// Asks, and sees to it that whoever waits there was asked.
async fn asks(fetch: &HttpFetch, url: &str, there: &Listener) {
    let reached = async { drop(there.waiting.accept().await.unwrap()) };
    let (answer, ()) = tokio::join!(fetch.fetch(FetchRequest::get(url)), reached);
    assert!(answer.is_err(), "it speaks no TLS");
}

#[tokio::test]
async fn a_name_that_leads_inside_is_not_asked() {
    let listener = Listener::bind(Ipv4Addr::LOCALHOST, 0);
    let url = format!("https://idp.example:{}/", listener.port);
    for inside in ["127.0.0.1", "::ffff:127.0.0.1", "10.0.0.1", "169.254.169.254", "fd00::1", "0.0.0.0"] {
        let saying = Saying::new(&[&[inside]]);
        let why = refused(&fetch(&saying, &[]), &url).await;
        assert!(why.contains("is not public") && why.contains("private_networks"), "{inside}: {why}");
    }
    // what is written as an address is looked at like what a name leads to
    for literal in ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "10.0.0.1", "169.254.169.254"] {
        let url = format!("https://{literal}:{}/", listener.port);
        let why = refused(&fetch(&Saying::new(&[]), &[]), &url).await;
        assert!(why.contains("is not public"), "{literal}: {why}");
    }
    assert!(!listener.was_reached());
    // other ways to write an address are names, and so are looked at when they have become addresses
    let system = HttpFetch::new(&crate::tls::client::trusting_system().unwrap(), NetworkSet::default());
    for odd in ["2130706433", "0x7f000001", "127.1", "localhost"] {
        refused(&system, &format!("https://{odd}:{}/", listener.port)).await;
    }
    assert!(!listener.was_reached());
}

#[tokio::test]
async fn a_name_is_looked_up_once_and_what_was_looked_at_is_asked() {
    let first = Listener::bind(Ipv4Addr::LOCALHOST, 0);
    let second = Listener::bind(Ipv4Addr::new(127, 0, 0, 2), first.port);
    // the first answer is fine; the second, which would be told whoever looks again, is not
    let saying = Saying::new(&[&["127.0.0.1"], &["127.0.0.2"]]);
    let fetch = fetch(&saying, &["127.0.0.1/32"]);
    let url = format!("https://idp.example:{}/", first.port);
    asks(&fetch, &url, &first).await;
    assert_eq!(saying.left(), 1);
    assert!(refused(&fetch, &url).await.contains("127.0.0.2 is not public"));
    assert!(!second.was_reached() && !first.was_reached());
}

#[tokio::test]
async fn of_several_addresses_only_the_public_ones_are_tried() {
    let inside = Listener::bind(Ipv4Addr::new(127, 0, 0, 2), 0);
    let meant = Listener::bind(Ipv4Addr::LOCALHOST, inside.port);
    let saying = Saying::new(&[&["127.0.0.2", "127.0.0.1", "10.0.0.1"]]);
    let fetch = fetch(&saying, &["127.0.0.1/32"]);
    asks(&fetch, &format!("https://idp.example:{}/", inside.port), &meant).await;
    assert!(!inside.was_reached());
}

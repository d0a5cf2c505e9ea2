//! Servers on one core, asked by wrk on another: `cargo run --release --manifest-path comparison/Cargo.toml -- throughput`.
//!
//! Needs `wrk` and `taskset`, and two cores that are otherwise idle. Each round asks every server for some seconds, one
//! after the other; the median of the rounds' ratios to the bare framework is printed.

use std::error::Error;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use actix_web::{App, HttpServer};

use crate::measure::median;
use crate::workload::{self, Algorithm, Fallible, PATH, Workload};
use crate::{app, ours, router};

const ROUNDS: usize = 5;
const SECONDS: u32 = 5;
const SERVER_CORE: &str = "0";
const CLIENT_CORE: &str = "1";

/// The servers, each with its place among them of the bare framework that it is compared with.
const SERVERS: [(&str, usize); 6] = [
    ("axum", 0),
    ("axum, known token HS256", 0),
    ("axum, known token RS256", 0),
    ("axum, API key", 0),
    ("actix-web", 4),
    ("actix-web, known token RS256", 4),
];

/// Starts every server, asks them in turns and prints a table.
///
/// # Errors
/// A program is missing, or a server answers something else than 200.
pub(crate) fn print_all() -> Fallible<()> {
    let servers = SERVERS.into_iter().map(|(name, _)| Server::start(name)).collect::<Fallible<Vec<_>>>()?;
    let mut rates = vec![Vec::new(); servers.len()];
    for _ in 0..ROUNDS {
        for (server, rates) in servers.iter().zip(&mut rates) {
            rates.push(server.requests_per_second()?);
        }
    }
    println!("\nOver loopback, server on one core: medians of {ROUNDS} rounds of {SECONDS} s\n");
    println!("| server | requests/s | ratio to bare | aim |");
    println!("|---|--:|--:|--:|");
    for ((name, bare), own) in SERVERS.into_iter().zip(&rates) {
        let bare = rates.get(bare).ok_or("each server has one to compare it with")?;
        let ratio = median(own.iter().zip(bare).map(|(own, bare)| own / bare).collect());
        let aim = if name.contains(',') { "0.85" } else { "" };
        println!("| {name} | {:.0} | {ratio:.2} | {aim} |", median(own.clone()));
    }
    Ok(())
}

/// A server in a process of its own.
struct Server {
    process: Child,
    address: String,
    field: String,
}

impl Server {
    fn start(name: &str) -> Fallible<Self> {
        let program = std::env::current_exe()?;
        let mut process = Command::new("taskset")
            .args(["-c", SERVER_CORE])
            .arg(program)
            .args(["serve", name, "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("taskset does not start: {error}"))?;
        let output = process.stdout.take().ok_or("what the server says is piped")?;
        let mut lines = BufReader::new(output).lines();
        let mut next = || lines.next().ok_or_else(|| Box::<dyn Error>::from(format!("{name} ended at once")));
        let (address, field) = (next()??, next()??);
        Ok(Self { process, address, field })
    }

    fn requests_per_second(&self) -> Fallible<f64> {
        let url = format!("http://{}{PATH}", self.address);
        let told = Command::new("taskset")
            .args([
                "-c",
                CLIENT_CORE,
                "wrk",
                "-t",
                "1",
                "-c",
                "32",
                "-d",
                &format!("{SECONDS}s"),
                "-H",
                &self.field,
                &url,
            ])
            .output()?;
        let told = String::from_utf8(told.stdout)?;
        if told.contains("Non-2xx") || told.contains("Socket errors") {
            return Err(format!("{} did not answer every request with 200: {told}", self.address).into());
        }
        let rate = told.lines().find_map(|line| line.strip_prefix("Requests/sec:"));
        Ok(rate.ok_or("wrk is installed and tells a rate")?.trim().parse()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Serves until it is killed; says first where, and which field its credential is sent in.
///
/// # Errors
/// There is no such server, or the address cannot be listened on.
pub(crate) async fn serve(name: &str, address: &str) -> Fallible<()> {
    let workload = workload(name)?;
    if name.starts_with("actix-web") {
        return serve_actix(name, address, workload).await;
    }
    let router = if name.contains(',') { router::layered(workload.gate.clone()) } else { router::bare() };
    let listener = tokio::net::TcpListener::bind(address).await?;
    announce(&listener.local_addr()?.to_string(), &workload);
    Ok(axum::serve(listener, router).await?)
}

async fn serve_actix(name: &str, address: &str, workload: Workload) -> Fallible<()> {
    let gate = workload.gate.clone();
    let is_bare = !name.contains(',');
    let listener = std::net::TcpListener::bind(address)?;
    announce(&listener.local_addr()?.to_string(), &workload);
    // Two apps, because a wrap that is switched off is not the bare framework.
    let server = if is_bare {
        HttpServer::new(|| App::new().configure(app::routes)).workers(1).listen(listener)?.run()
    } else {
        let wrapped = move || App::new().configure(app::routes).wrap(ours::wrap(&gate));
        HttpServer::new(wrapped).workers(1).listen(listener)?.run()
    };
    Ok(server.await?)
}

fn workload(name: &str) -> Fallible<Workload> {
    match name.rsplit(' ').next() {
        Some("HS256") => workload::known_token_of(Algorithm::Hs256),
        Some("key") => workload::known_api_key(),
        // Bare servers are sent the longest token.
        _ => workload::known_token_of(Algorithm::Rs256),
    }
}

fn announce(address: &str, workload: &Workload) {
    let (name, value) = &workload.field;
    println!("{address}\n{name}: {value}");
}

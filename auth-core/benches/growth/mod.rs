//! How the time of a decision grows with what the gate knows.
//!
//! Requests come in a random order. Callers are not alike: a few come often and most come seldom, so that one row of a kind
//! draws them nearly by Zipf's law. Another asks for all alike, so that of a million hardly one is in a cache of the processor. A
//! request's own bytes are in one, as after reading it from a socket: it is laid out before the clock runs.
//!
//! Sizes take turns. Long ones come after as many requests that are not counted, so that a size finds in the caches what
//! they hold of it when nothing else needs them. Short ones find the caches full of the other sizes' entries and requests,
//! as behind an application that does much else. Printed are the medians of the turns and of their ratios to those of the
//! smallest size. The table of tokens has room for twice as many; at a million it is large enough to be fetched ahead, at
//! the other sizes it is not. An argument chooses one kind: tokens, principals, routes, issuers, revocations or threads.

use std::error::Error;
use std::hint::{self, black_box};
use std::iter;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::{Duration, Instant};

use auth_core::credential::Source;
use auth_core::gate::{Decision, Gate, GateBuilder, Limits};
use auth_core::keys::{Algorithm, KeySet, VerificationKey};
use auth_core::limit::{Plan, Plans, Scope};
use auth_core::policy::{Policy, authenticated};
use auth_core::revocation::{Revocation, Revocations, Target};
use auth_core::store::MemoryLimitStore;
use auth_core::verify::jwt::{Issuer, JwtVerifier};
use auth_core::verify::{CacheSize, Verified, Verifier};
use auth_core::{Clock, Identity, Method, Now, Outcome, RequestHead, Secret, SystemClock};
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The fields of a request and its path.
type LaidOut = (Vec<(String, Vec<u8>)>, String);
pub(crate) type Fallible<T> = Result<T, Box<dyn Error>>;

/// How often each size has its turn, how many lots of [`REQUESTS`] go before it uncounted, and how many it has.
#[derive(Clone, Copy)]
struct Turns {
    name: &'static str,
    rounds: usize,
    before: usize,
    lots: usize,
}

const LONG: Turns = Turns { name: "long turns", rounds: 11, before: 1_000, lots: 1_000 };
const SHORT: Turns = Turns { name: "short turns", rounds: 201, before: 0, lots: 1 };
/// How many requests are laid out at a time.
const REQUESTS: u16 = 64;
/// So many that the threads run at the same time for nearly all of them.
const AT_ONCE: u32 = 200_000;
const AT_ONCE_ROUNDS: usize = 21;
const SECRET: &[u8] = b"an example of a secret of more than 32 bytes";
const AUDIENCE: &str = "https://api.example.com";

pub(crate) fn run() -> Fallible<()> {
    for Turns { name, rounds, lots, .. } in [LONG, SHORT] {
        println!("{name}: medians of {rounds} turns, each the median of {lots} times {REQUESTS} decisions");
    }
    println!();
    println!("| number of | smallest | | |");
    println!("|---|--:|--:|--:|");
    let wanted = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let kinds = ["tokens", "principals", "routes", "issuers", "revocations", "threads"];
    if wanted.as_deref().is_some_and(|wanted| !kinds.contains(&wanted)) {
        return Err(format!("there is nothing of that kind: write one of {}", kinds.join(", ")).into());
    }
    let is_wanted = |kind| wanted.as_deref().is_none_or(|wanted| wanted == kind);
    if is_wanted("tokens") {
        compare_draws("remembered tokens", &sized([1, 10_000, 1_000_000], remembered)?);
    }
    if is_wanted("principals") {
        compare_draws("remembered tokens, each with a budget", &sized([1, 10_000, 1_000_000], principals)?);
    }
    if is_wanted("routes") {
        let routes = sized([10, 10_000], routes)?;
        compare("routes, all used alike", &routes, Random::below, LONG);
        compare("routes, all used alike, short turns", &routes, Random::below, SHORT);
    }
    if is_wanted("issuers") {
        compare("issuers, verified every time", &sized([1, 1_000], issuers)?, Random::below, LONG);
    }
    if is_wanted("revocations") {
        compare("revocations, verified every time", &sized([0, 1_000_000], revocations)?, Random::below, LONG);
    }
    if is_wanted("threads") {
        threads()?;
    }
    Ok(())
}

/// A gate of some size, and how the request with a number looks.
struct Sized {
    size: usize,
    gate: Gate,
    /// How many different requests there are.
    requests: usize,
    /// The token and the path.
    request: Box<dyn Fn(usize) -> (String, String)>,
}

/// Which of so many requests comes next.
type Draw = fn(&mut Random, usize) -> usize;

fn sized<const N: usize>(sizes: [usize; N], make: fn(usize) -> Fallible<Sized>) -> Fallible<Vec<Sized>> {
    sizes.into_iter().map(make).collect()
}

fn compare_draws(name: &str, sizes: &[Sized]) {
    compare(&format!("{name}, some used often"), sizes, Random::by_zipf, LONG);
    compare(&format!("{name}, all used alike"), sizes, Random::below, LONG);
    compare(&format!("{name}, all used alike, short turns"), sizes, Random::below, SHORT);
}

fn compare(name: &str, sizes: &[Sized], draw: Draw, turns: Turns) {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let mut times = vec![Vec::new(); sizes.len()];
    let mut ratios = times.clone();
    for _ in 0..turns.rounds {
        let mut turn = |sized| {
            let lots = iter::repeat_with(|| nanos(sized, &mut random, draw)).skip(turns.before);
            median(lots.take(turns.lots).collect())
        };
        let round: Vec<f64> = sizes.iter().map(&mut turn).collect();
        for ((times, ratios), nanos) in times.iter_mut().zip(&mut ratios).zip(&round) {
            times.push(*nanos);
            ratios.push(nanos / round.first().copied().unwrap_or(1.0));
        }
    }
    let cells = sizes.iter().zip(times).zip(ratios).map(|((sized, times), ratios)| {
        let ratio = median(ratios);
        format!("{}: {:.0} ns, {ratio:.2}", sized.size, median(times))
    });
    println!("| {name} | {} |", cells.collect::<Vec<_>>().join(" | "));
}

fn nanos(sized: &Sized, random: &mut Random, draw: Draw) -> f64 {
    let laid_out: Vec<_> = (0..REQUESTS)
        .map(|_| {
            let (token, path) = (sized.request)(draw(random, sized.requests));
            let fields = [("host", "api.example.com".to_owned()), ("authorization", format!("Bearer {token}"))];
            (fields.map(|(name, value)| (name.to_owned(), value.into_bytes())).to_vec(), path)
        })
        .collect();
    let start = Instant::now();
    for (fields, path) in &laid_out {
        let head = RequestHead::new("GET", path, fields);
        let decided = black_box(sized.gate.decide(&head, sized.gate.now()));
        assert!(matches!(decided, Outcome::Done(Decision::Admit(_))));
    }
    start.elapsed().as_secs_f64() * 1e9 / f64::from(REQUESTS)
}

/// Tokens that were verified before.
fn remembered(size: usize) -> Fallible<Sized> {
    callers(size, Gate::builder())
}

/// Callers whose tokens were verified before, and who have spent from a budget of their own.
fn principals(size: usize) -> Fallible<Sized> {
    let plan = Plan::new("hourly").limit("hour", "500000000/hour".parse()?, Scope::PRINCIPAL);
    let store = MemoryLimitStore::with_capacity(u32::try_from(size)?.try_into()?);
    callers(
        size,
        Gate::builder().limits(Limits::new(Plans::builder().plan(plan).default_plan("hourly").build()?, store)),
    )
}

fn callers(size: usize, gate: GateBuilder) -> Fallible<Sized> {
    let verifier = JwtVerifier::new([issuer(0)?])?.remembering(CacheSize::entries(2 * size).bytes(4 << 30));
    let gate = gate.accept(Source::bearer(), verifier).policy(one_route()).build()?;
    for number in 0..size {
        admit(&gate, &token(0, number))?;
    }
    let request = |number: usize| (token(0, number), "/v1/orders/7".to_owned());
    Ok(Sized { size, gate, requests: size, request: Box::new(request) })
}

/// Threads that decide at the same time, each on remembered tokens of its own. They share nothing but the gate, so that
/// each should take as long as one alone; what they wait for is memory that processors pass around. All are under way
/// before the first clock runs and until the last one stops.
fn threads() -> Fallible<()> {
    let half = usize::from(REQUESTS);
    let Sized { gate, request, .. } = remembered(2 * half)?;
    let laid_out = |number: usize| {
        let (token, path) = request(number);
        (vec![("authorization".to_owned(), format!("Bearer {token}").into_bytes())], path)
    };
    let laid_out: [Vec<_>; 2] = [0, half].map(|first| (first..first + half).map(laid_out).collect());
    let at_once = |count: usize| {
        let (under_way, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let run = |requests: &[LaidOut]| {
            let decide = |(fields, path): &LaidOut| {
                let decided = gate.decide(&RequestHead::new("GET", path, fields), gate.now());
                usize::from(matches!(black_box(decided), Outcome::Done(Decision::Admit(_))))
            };
            under_way.fetch_add(1, Ordering::SeqCst);
            while under_way.load(Ordering::SeqCst) < count {
                hint::spin_loop();
            }
            let start = Instant::now();
            let admitted: usize = requests.iter().cycle().take(AT_ONCE as usize).map(decide).sum();
            let each = start.elapsed().as_secs_f64() * 1e9 / f64::from(AT_ONCE);
            done.fetch_add(1, Ordering::SeqCst);
            while done.load(Ordering::Relaxed) < count {
                requests.iter().map(decide).for_each(drop);
            }
            assert_eq!(admitted, AT_ONCE as usize);
            each
        };
        let times: Vec<f64> = thread::scope(|scope| {
            let run = &run;
            let spawned: Vec<_> = laid_out.iter().take(count).map(|own| scope.spawn(move || run(own))).collect();
            spawned.into_iter().map(|thread| thread.join().unwrap_or(f64::NAN)).collect()
        });
        times.into_iter().fold(0.0, |most, time| if time > most || time.is_nan() { time } else { most })
    };
    let rounds: Vec<[f64; 2]> = (0..AT_ONCE_ROUNDS).map(|_| [at_once(1), at_once(2)]).collect();
    let of = |value: fn(&[f64; 2]) -> f64| median(rounds.iter().map(value).collect());
    let (one, two, ratio) = (of(|[one, _]| *one), of(|[_, two]| *two), of(|[one, two]| two / one));
    println!("| threads that decide at once | 1: {one:.0} ns, 1.00 | 2: {two:.0} ns, {ratio:.2} |");
    println!("\nthreads: medians of {AT_ONCE_ROUNDS} rounds of {AT_ONCE} decisions of each");
    Ok(())
}

fn routes(size: usize) -> Fallible<Sized> {
    let path = |number: usize| format!("/v1/{}/{number:05}", ["orders", "customers", "invoices"][number % 3]);
    let policy =
        (0..size).fold(Policy::new(), |policy, number| policy.get(format!("{}/{{id}}", path(number)), authenticated()));
    let gate = Gate::builder().accept(Source::bearer(), Somebody::new()).policy(policy).build()?;
    let request = move |number: usize| ("0".to_owned(), format!("{}/6f1d2c9e", path(number)));
    Ok(Sized { size, gate, requests: size, request: Box::new(request) })
}

fn issuers(size: usize) -> Fallible<Sized> {
    let issuers = (0..size).map(issuer).collect::<Fallible<Vec<_>>>()?;
    let gate = Gate::builder().accept(Source::bearer(), JwtVerifier::new(issuers)?).policy(one_route()).build()?;
    let request = |number: usize| (token(number, number), "/v1/orders/7".to_owned());
    Ok(Sized { size, gate, requests: size, request: Box::new(request) })
}

/// None of which meets the tokens. A remembered token looks them up once; one that is verified anew, every time.
fn revocations(size: usize) -> Fallible<Sized> {
    let (list, now) = (Revocations::new(), SystemClock.now());
    for number in 0..size {
        let target = Target::subject(issuer_name(0), format!("revoked {number}"));
        let _ = list.revoke(&Revocation::new(target, now.wall.saturating_add(Duration::from_hours(24))), now);
    }
    let builder = Gate::builder().accept(Source::bearer(), JwtVerifier::new([issuer(0)?])?).policy(one_route());
    let request = |number: usize| (token(0, number), "/v1/orders/7".to_owned());
    Ok(Sized { size, gate: builder.revocations(list).build()?, requests: 10_000, request: Box::new(request) })
}

fn admit(gate: &Gate, token: &str) -> Fallible<()> {
    let field = format!("Bearer {token}");
    let fields = [("authorization", field.as_str())];
    let head = RequestHead::new("GET", "/v1/orders/7", &fields);
    match gate.decide(&head, gate.now()) {
        Outcome::Done(Decision::Admit(_)) => Ok(()),
        _ => Err("a token was refused".into()),
    }
}

fn one_route() -> Policy {
    Policy::new().get("/v1/orders/{id}", authenticated())
}

fn issuer_name(number: usize) -> String {
    format!("https://login-{number}.example.com/")
}

fn issuer(number: usize) -> Fallible<Issuer> {
    let key = VerificationKey::shared_secret(Algorithm::Hs256, &Secret::new(SECRET.to_vec()))?;
    Ok(Issuer::new(issuer_name(number), [AUDIENCE], KeySet::new([key])?))
}

fn token(issuer: usize, subject: usize) -> String {
    static EXPIRY: LazyLock<i64> = LazyLock::new(|| SystemClock.now().wall.unix_seconds() + 86_400);
    let (issuer, expiry) = (issuer_name(issuer), *EXPIRY);
    let claims = format!(r#"{{"iss":"{issuer}","sub":"user_{subject:08}","aud":"{AUDIENCE}","exp":{expiry}}}"#);
    let [header, claims] = [r#"{"alg":"HS256","typ":"JWT"}"#, &claims].map(|part| URL_SAFE_NO_PAD.encode(part));
    let signed = format!("{header}.{claims}");
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET), signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag))
}

/// A verifier to whom all callers are the same one.
struct Somebody(Arc<Identity>);

impl Somebody {
    fn new() -> Self {
        Self(Arc::new(Identity::new(Method::Jwt, "https://login.example.com/", "user")))
    }
}

impl Verifier for Somebody {
    fn recognises(&self, _: &str) -> bool {
        true
    }

    fn verify(&self, _: &str, _: Now) -> Outcome<Verified> {
        Outcome::Done(Ok(Arc::clone(&self.0)))
    }
}

/// A linear congruential generator.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 32) as u32
    }

    /// Each as often as every other.
    fn below(&mut self, count: usize) -> usize {
        self.next() as usize % count
    }

    /// Nearly by Zipf's law: the one that is used most 1.7 times as often as the second, 2.4 times as often as the third,
    /// and so on. They are scattered, so that those which are used often do not lie side by side in memory.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a draw")]
    fn by_zipf(&mut self, count: usize) -> usize {
        const SCATTER: usize = 611_953; // a prime, so that each has a place of its own
        let share = f64::from(self.next()) / (f64::from(u32::MAX) + 1.0);
        let rank = (count as f64 + 1.0).powf(share) - 1.0;
        rank as usize * SCATTER % count
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

//! Times in rounds that take turns, and allocations.
//!
//! A request is made, routed, answered and dropped: what a server does for every request, apart from the network.
//!
//! Machines are noisy, and what is published are ratios: each round measures the bare framework, the raw cryptography
//! and the layered framework right after each other, so that a slow moment slows all three; the median of the rounds'
//! ratios is what counts.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// Requests per measurement at most, and how long a measurement shall take at most: it should be over before the
/// system gives the processor to somebody else.
const LARGEST_BATCH: u32 = 64;
const LONGEST_BATCH: Duration = Duration::from_micros(500);

/// What is compared: each function measures one batch and answers the time of one request.
pub(crate) struct Subject<'a> {
    pub(crate) name: &'static str,
    pub(crate) bare: Box<dyn FnMut() -> Duration + 'a>,
    pub(crate) raw: Box<dyn FnMut() -> Duration + 'a>,
    pub(crate) layered: Box<dyn FnMut() -> Duration + 'a>,
    pub(crate) most: Option<f64>,
}

/// Measures a batch.
pub(crate) fn batch(run: impl Fn()) -> impl FnMut() -> Duration {
    let mut fastest = LONGEST_BATCH;
    move || {
        let fitting = LONGEST_BATCH.as_nanos() / fastest.as_nanos().max(1);
        let size = u32::try_from(fitting).unwrap_or(LARGEST_BATCH).clamp(1, LARGEST_BATCH);
        let start = Instant::now();
        for _ in 0..size {
            run();
        }
        let each = start.elapsed() / size;
        fastest = fastest.min(each);
        each
    }
}

/// The result of a future that has nothing to wait for.
pub(crate) fn drive<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
    }
}

/// Without `--bench` a program is only tried out, as by `cargo test --benches`.
pub(crate) fn is_bench() -> bool {
    std::env::args().any(|argument| argument == "--bench")
}

/// Measures in turns and prints a table.
pub(crate) fn print_times(title: &str, subjects: &mut [Subject<'_>]) {
    let (warm_up, rounds) = if is_bench() { (50, 1_001) } else { (0, 1) };
    let mut times = vec![Times::default(); subjects.len()];
    for round in 0..warm_up + rounds {
        for (subject, times) in subjects.iter_mut().zip(&mut times) {
            let (bare, raw, layered) = ((subject.bare)(), (subject.raw)(), (subject.layered)());
            if round >= warm_up {
                times.add(bare, raw, layered);
            }
        }
    }
    println!("\n{title}: medians of {rounds} rounds\n");
    println!(
        "| credential | bare | raw cryptography | with the layer | ratio to bare + raw | at most | added beside raw |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|");
    for (subject, times) in subjects.iter().zip(times) {
        let most = subject.most.map_or_else(|| "–".to_owned(), |most| format!("{most:.2}"));
        let [bare, raw, layered] = [times.bare, times.raw, times.layered].map(median).map(micros);
        println!(
            "| {} | {bare:.2} µs | {raw:.2} µs | {layered:.2} µs | {:.3} | {most} | {:.2} µs |",
            subject.name,
            median(times.ratio),
            median(times.beside) * 1e6,
        );
    }
}

#[derive(Clone, Default)]
struct Times {
    bare: Vec<f64>,
    raw: Vec<f64>,
    layered: Vec<f64>,
    ratio: Vec<f64>,
    beside: Vec<f64>,
}

impl Times {
    fn add(&mut self, bare: Duration, raw: Duration, layered: Duration) {
        let [bare, raw, layered] = [bare, raw, layered].map(|time| time.as_secs_f64());
        self.bare.push(bare);
        self.raw.push(raw);
        self.layered.push(layered);
        self.ratio.push(layered / (bare + raw));
        self.beside.push(layered - bare - raw);
    }
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

fn micros(seconds: f64) -> f64 {
    seconds * 1e6
}

/// How many allocations one request makes.
pub(crate) struct Allocations {
    pub(crate) name: &'static str,
    pub(crate) bare: u64,
    pub(crate) layered: u64,
    pub(crate) most: u64,
}

/// Counts with `measure` once everything that is made once has been made.
pub(crate) fn count<R>(make: impl Fn() -> R, send: impl Fn(R), measure: impl Fn(&mut dyn FnMut()) -> u64) -> u64 {
    for _ in 0..LARGEST_BATCH {
        send(make());
    }
    let mut request = Some(make());
    measure(&mut || {
        if let Some(request) = request.take() {
            send(request);
        }
    })
}

/// Prints a table.
///
/// # Errors
/// One of the counts is over its bound. Counts do not depend on the machine, so that is a mistake.
pub(crate) fn print_allocations(title: &str, counted: &[Allocations]) -> super::Fallible<()> {
    println!("\n{title}: allocations of one request\n");
    println!("| credential | bare | with the layer | added | at most |");
    println!("|---|--:|--:|--:|--:|");
    let mut over = Vec::new();
    for Allocations { name, bare, layered, most } in counted {
        let added = layered.saturating_sub(*bare);
        println!("| {name} | {bare} | {layered} | {added} | {most} |");
        if added > *most {
            over.push(*name);
        }
    }
    if over.is_empty() { Ok(()) } else { Err(format!("too many allocations: {}", over.join(", ")).into()) }
}

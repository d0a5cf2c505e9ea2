//! Rounds that take turns, and the table.
//!
//! Machines are noisy, and what counts are ratios: a round measures a middleware right after what it is compared with,
//! so that a slow moment slows both; the median of the rounds' ratios is printed.

use std::time::Duration;

use crate::workload::measure::batch;

const WARM_UP: usize = 50;
const ROUNDS: usize = 501;

/// Two things that are compared: each function measures one batch and answers the time of one request.
pub(crate) struct Row {
    name: String,
    bare: Box<dyn FnMut() -> Duration>,
    with: Box<dyn FnMut() -> Duration>,
    /// The ratio that is aimed at.
    most: Option<f64>,
}

impl Row {
    /// Compares two ways to answer one request.
    pub(crate) fn new(name: impl Into<String>, bare: impl Fn() + 'static, with: impl Fn() + 'static) -> Self {
        Self { name: name.into(), bare: Box::new(batch(bare)), with: Box::new(batch(with)), most: None }
    }

    /// The same with the ratio that is aimed at.
    pub(crate) fn at_most(self, ratio: f64) -> Self {
        Self { most: Some(ratio), ..self }
    }
}

/// Measures all rows in turns and prints them.
pub(crate) fn print(title: &str, mut rows: Vec<Row>) {
    let mut times = vec![Times::default(); rows.len()];
    for round in 0..WARM_UP + ROUNDS {
        for (row, times) in rows.iter_mut().zip(&mut times) {
            let [bare, with] = [(row.bare)(), (row.with)()].map(|time| time.as_secs_f64() * 1e6);
            if round >= WARM_UP {
                times.bare.push(bare);
                times.added.push(with - bare);
                times.ratio.push(with / bare);
            }
        }
    }
    println!("\n{title}: medians of {ROUNDS} rounds\n");
    println!("| | compared with | added | ratio | aim |");
    println!("|---|--:|--:|--:|--:|");
    for (row, times) in rows.iter().zip(times) {
        let [bare, added, ratio] = [times.bare, times.added, times.ratio].map(median);
        let most = row.most.map_or_else(String::new, |most| format!("{most:.2}"));
        println!("| {} | {bare:.2} µs | {added:.2} µs | {ratio:.2} | {most} |", row.name);
    }
}

#[derive(Clone, Default)]
struct Times {
    bare: Vec<f64>,
    added: Vec<f64>,
    ratio: Vec<f64>,
}

/// The one in the middle.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

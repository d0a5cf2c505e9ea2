//! Logging to standard error that never holds a request up.
//!
//! Whoever reads our standard error may be slow, or gone. Lines wait in a queue of bounded length, and a thread of its
//! own writes them; what finds the queue full is dropped and counted, and the count is written once there is room.

use std::io::{self, IsTerminal as _, Write};
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::time::Duration;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::config::{Log, LogFormat};

/// How many lines wait: a few megabytes at most.
const QUEUE: usize = 8_192;

/// How long the end of the process waits for the last lines.
const PATIENCE: Duration = Duration::from_millis(500);

/// Lines on their way to standard error.
#[derive(Clone, Debug)]
struct Lines {
    queue: SyncSender<Message>,
    dropped: Arc<AtomicU64>,
}

#[derive(Debug)]
enum Message {
    Line(Vec<u8>),
    /// Everything before this is to be written; then the sender hears of it.
    Flush(Sender<()>),
}

/// Waits, when it is dropped, for the lines that were written until then; not for long.
#[derive(Debug, Default)]
pub(crate) struct LogEnd(Option<Lines>);

/// Starts logging as the configuration says; the environment's `RUST_LOG` wins.
pub(crate) fn start(log: &Log) -> LogEnd {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(log.level));
    let Ok(lines) = Lines::to(io::stderr()) else { return LogEnd(None) };
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(lines.clone());
    let started = match log.format {
        LogFormat::Text => subscriber.try_init(),
        LogFormat::Json => subscriber.json().try_init(),
    };
    // an embedding program that logs already goes on as it does
    LogEnd(started.is_ok().then_some(lines))
}

impl Lines {
    fn to(sink: impl Write + Send + 'static) -> io::Result<Self> {
        let (queue, arriving) = sync_channel(QUEUE);
        let dropped = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&dropped);
        std::thread::Builder::new().name("log".to_owned()).spawn(move || write_all(sink, &arriving, &counted))?;
        Ok(Self { queue, dropped })
    }
}

fn write_all(mut sink: impl Write, arriving: &Receiver<Message>, dropped: &AtomicU64) {
    for message in arriving {
        // there is nobody to tell that telling does not work
        match message {
            Message::Line(line) => drop(sink.write_all(&line)),
            Message::Flush(done) => drop((sink.flush(), done.send(()))),
        }
        let lost = dropped.swap(0, Ordering::Relaxed);
        if lost > 0 {
            drop(writeln!(sink, "{lost} log lines were dropped, because nobody read them fast enough"));
        }
    }
}

/// One event's text; it goes into the queue as a whole when it is complete.
#[derive(Debug)]
struct Line<'l> {
    text: Vec<u8>,
    lines: &'l Lines,
}

impl<'l> MakeWriter<'l> for Lines {
    type Writer = Line<'l>;

    fn make_writer(&'l self) -> Line<'l> {
        Line { text: Vec::new(), lines: self }
    }
}

impl Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        let text = mem::take(&mut self.text);
        if !text.is_empty() && self.lines.queue.try_send(Message::Line(text)).is_err() {
            self.lines.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Drop for LogEnd {
    fn drop(&mut self) {
        let Some(lines) = &self.0 else { return };
        let (done, written) = channel();
        // a full queue means that nobody reads, so there is nothing to wait for
        if lines.queue.try_send(Message::Flush(done)).is_ok() {
            let _ = written.recv_timeout(PATIENCE);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, PoisonError};

    use super::*;

    /// A sink that nobody reads from for as long as somebody holds it.
    #[derive(Clone, Default)]
    struct Pipe(Arc<Mutex<Vec<u8>>>);

    impl Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_stands_still_stops_nobody_and_is_told_what_it_missed() {
        let pipe = Pipe::default();
        let lines = Lines::to(pipe.clone()).unwrap();
        let standing_still = pipe.0.lock().unwrap();
        for number in 0..QUEUE + 100 {
            writeln!(lines.make_writer(), "line {number}").unwrap();
        }
        drop(standing_still);
        let (done, written) = channel();
        lines.queue.send(Message::Flush(done)).unwrap();
        written.recv().unwrap();
        let text = String::from_utf8(pipe.0.lock().unwrap().clone()).unwrap();
        let lost: usize = text
            .lines()
            .filter_map(|line| line.strip_suffix(" log lines were dropped, because nobody read them fast enough"))
            .map(|count| count.parse::<usize>().unwrap())
            .sum();
        let kept = text.lines().filter(|line| line.starts_with("line ")).count();
        assert_eq!(kept + lost, QUEUE + 100, "every line is there or counted");
        assert!(lost >= 99, "{lost}: at most one line is out of the queue while the reader stands still");
    }
}

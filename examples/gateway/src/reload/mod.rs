//! Taking up another configuration while the gateway serves.
//!
//! A [`Generation`] is one configuration and the gate made of it. SIGHUP makes the next one at once; a file that changes
//! does within three seconds, and so do the keys of the gateway's own tokens when `gateway signing-keys rotate` writes new
//! ones, also where a profile is served. It takes the place of the old one whole: each request goes through one generation, from
//! its first look at the policy to its upstream, and what is in flight is finished by the one it began with.
//!
//! A configuration with a problem is refused, with every problem in the log, and the old one stays. Budgets, API keys,
//! opaque tokens and revocations go on: their stores are handed from one generation to the next.

mod generation;
mod pinned;
mod signing_keys;
mod watched;

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

pub use generation::Generation;
pub(crate) use signing_keys::SigningKeysWatched;
pub(crate) use watched::{Watched, read};

use crate::cli::{Failure, Serve};
use crate::config::Config;
use crate::data_dir::DataDir;
use crate::rounds::InUse;
use crate::start::waiting_runtime;
use crate::wiring::{self, Resources};

/// How often files are looked at. A change counts once two looks have found the same, so that no half-written file is
/// taken up.
const INTERVAL: Duration = Duration::from_secs(1);

/// What the next generation is made with.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub(crate) arguments: Serve,
    pub(crate) data_dir: DataDir,
    pub(crate) resources: Resources,
    pub(crate) in_use: InUse,
    pub(crate) watched: Watched,
    pub(crate) signing_keys: SigningKeysWatched,
}

/// Follows the configuration until it is dropped.
#[derive(Debug)]
pub struct Following {
    /// There until the value is dropped, which the thread notices.
    alive: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Following {
    /// Begins. Signals count from now on, so call it before anybody is told that the gateway serves.
    pub(crate) fn start(
        origin: Origin,
        running: Generation,
        take_up: impl Fn(Generation) + Send + 'static,
    ) -> Result<Self, Failure> {
        let runtime = waiting_runtime()?;
        let hangups = {
            let _runtime = runtime.enter();
            signal(SignalKind::hangup()).map_err(Failure::obstacle)?
        };
        let (alive, ended) = oneshot::channel();
        let follower = Follower { origin, running, take_up };
        let thread = std::thread::Builder::new().name("reload".to_owned());
        let thread = thread.spawn(move || follower.follow(&runtime, hangups, ended)).map_err(Failure::obstacle)?;
        Ok(Self { alive: Some(alive), thread: Some(thread) })
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        drop(self.alive.take());
        if let Some(thread) = self.thread.take() {
            // a panic over there was reported over there
            let _ = thread.join();
        }
    }
}

struct Follower<F> {
    origin: Origin,
    running: Generation,
    take_up: F,
}

/// Why a follower wakes up.
enum Event {
    Hangup,
    Tick,
    End,
}

impl<F: Fn(Generation)> Follower<F> {
    fn follow(mut self, runtime: &Runtime, mut hangups: Signal, mut ended: oneshot::Receiver<()>) {
        loop {
            let event = runtime.block_on(async {
                tokio::select! {
                    _ = &mut ended => Event::End,
                    Some(()) = hangups.recv() => Event::Hangup,
                    () = tokio::time::sleep(INTERVAL) => Event::Tick,
                }
            });
            match event {
                Event::End => return,
                Event::Hangup => self.asked(),
                Event::Tick if self.origin.watched.have_changed() => self.renew(),
                Event::Tick if self.origin.signing_keys.have_changed() => {
                    tracing::info!("the keys that sign have changed");
                    self.renew();
                }
                Event::Tick => {}
            }
        }
    }

    fn asked(&mut self) {
        match self.origin.arguments.whose.profile_name() {
            Some(profile) => {
                tracing::info!(profile, "a profile comes with the gateway: there is no file to read again");
            }
            None => self.renew(),
        }
    }

    fn renew(&mut self) {
        let (config, watched) = read(&self.origin.arguments);
        self.origin.watched = watched;
        // before they are read: a change behind this is found by the next look
        self.origin.signing_keys = SigningKeysWatched::note(&self.origin.data_dir);
        match config.and_then(|config| self.next(config)) {
            Ok(next) => {
                self.running = next.clone();
                (self.take_up)(next);
                tracing::info!(file = &*self.running.config.file, "the new configuration is in force");
            }
            Err(failure) => {
                for problem in failure.to_string().lines() {
                    tracing::error!(problem, "the configuration has a problem");
                }
                tracing::error!("the new configuration is refused, and the one before stays in force");
            }
        }
    }

    fn next(&mut self, mut config: Config) -> Result<Generation, Failure> {
        let old = &self.running.config;
        let kept = pinned::keep(old, &mut config);
        let resources = self.origin.resources.renewed(old, &config, &self.origin.data_dir);
        let resources = resources.map_err(Failure::obstacle)?;
        let wired = wiring::wire(&config, resources.clone())?;
        if !kept.is_empty() {
            tracing::warn!(settings = kept.join(", "), "these settings changed and take effect at the next start");
        }
        self.origin.resources = resources;
        self.origin.in_use.add(&wired);
        Ok(Generation::new(Arc::new(config), &wired, self.running.health()))
    }
}

//! From the command line to a gateway that is ready to serve.
//!
//! Everything that can be wrong is found here, in this order, before anything is served: the configuration (exit
//! status 2), then the address, the data directory and the stores (exit status 1).

use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use crate::cli::{Failure, Serve};
use crate::config::{Config, Demo, Draft};
use crate::demo;
use crate::health::Health;
use crate::log::{self, LogEnd};
use crate::messages::Outbox;
use crate::reload::{self, Following, Generation, Origin, SigningKeysWatched};
use crate::rounds::InUse;
use crate::tls::Tls;
use crate::wiring::{self, Resources, Wired};

/// A gateway that is ready to serve.
#[derive(Debug)]
#[non_exhaustive]
pub struct Ready {
    /// The configuration, with what the command line said otherwise.
    pub config: Arc<Config>,
    /// Who decides.
    pub wired: Wired,
    /// How the parts of the gateway are.
    pub health: Arc<Health>,
    /// Where requests come in: bound, listening, non-blocking.
    pub listener: TcpListener,
    address: SocketAddr,
    announcement: String,
    /// Ends last, when everybody else has said what there was to say.
    pub(crate) log: LogEnd,
    origin: Origin,
}

impl Ready {
    /// Makes everything ready that the command line asks for.
    ///
    /// # Errors
    /// The first thing that stands in the way; for a configuration, all its problems.
    pub fn prepare(arguments: &Serve) -> Result<Self, Failure> {
        let (config, watched) = reload::read(arguments);
        let config = config?;
        let log = log::start(&config.log);
        let (listener, address) = listen(config.server.listen)?;
        let data_dir = arguments.whose.data_dir(&config)?;
        let (resources, signing_keys) =
            SigningKeysWatched::note_at_start(&data_dir, || Resources::open(&config, &data_dir))
                .map_err(Failure::obstacle)?;
        let now = resources.clock.now();
        let wired = wiring::wire(&config, resources.clone())?;
        if let Some(accounts) = &wired.accounts {
            let resumed = waiting_runtime()?.block_on(accounts.resume(now));
            resumed.map_err(|error| Failure::Obstacle(format!("accounts: {error}")))?;
        }
        let in_use = InUse::default();
        in_use.add(&wired);
        let scheme = if config.tls.is_some() { "https" } else { "http" };
        let base_url = format!("{scheme}://{address}");
        let mut announcement = format!("listening on {base_url}\n");
        if config.demo.value == Demo::Enabled {
            let runtime = waiting_runtime()?;
            let profile = arguments.whose.profile_name().unwrap_or("custom");
            let document = runtime
                .block_on(demo::prepare(&config, &wired, &data_dir, profile, &base_url, now))
                .map_err(Failure::obstacle)?;
            let file = data_dir.file("demo.json");
            let lines = demo::curl_lines(&config, &document);
            announcement =
                format!("{announcement}\nThis is a demo; its accounts are in {}. Try:\n\n{lines}", file.display());
        }
        let origin = Origin { arguments: arguments.clone(), data_dir, resources, in_use, watched, signing_keys };
        let health = Arc::default();
        Ok(Self { config: Arc::new(config), wired, health, listener, address, announcement, log, origin })
    }

    /// What is served at first.
    pub fn generation(&self) -> Generation {
        Generation::new(Arc::clone(&self.config), &self.wired, Arc::clone(&self.health))
    }

    /// Follows the configuration from now on, and hands over what is to be served instead whenever there is something,
    /// until the value is dropped. Call it before [`announce`](Self::announce).
    ///
    /// # Errors
    /// The signal cannot be watched, or no thread can be started.
    pub fn follow(&self, take_up: impl Fn(Generation) + Send + 'static) -> Result<Following, Failure> {
        Following::start(self.origin.clone(), self.generation(), take_up)
    }

    pub(crate) fn in_use(&self) -> InUse {
        self.origin.in_use.clone()
    }

    pub(crate) fn outbox(&self) -> Outbox {
        self.origin.resources.outbox.clone()
    }

    /// Where the gateway listens, with the real port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Says on standard output that requests are accepted, and how to try it where this is a demo. Call it once they
    /// are.
    pub fn announce(&self) {
        let mut out = std::io::stdout().lock();
        // whoever closed our standard output does not want to know
        let _ = out.write_all(self.announcement.as_bytes()).and_then(|()| out.flush());
    }
}

/// Everything about a configuration that can be known without serving.
///
/// # Errors
/// Every problem, of the language, of the parts, and of what they refer to, in the order of the file.
pub fn check(mut draft: Draft) -> Result<Config, Failure> {
    let config = draft.config();
    let mut problems = wiring::problems(config).map_err(Failure::obstacle)?;
    problems.extend(demo::exposed(config));
    problems.extend(config.tls.as_ref().and_then(|tls| Tls::configured(tls).err()));
    draft.add(problems);
    Ok(draft.finish()?)
}

/// What the command line and the first steps of a start wait with.
pub(crate) fn waiting_runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), Failure> {
    let bind = || {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let bound = listener.local_addr()?;
        Ok((listener, bound))
    };
    bind().map_err(|error: std::io::Error| Failure::Obstacle(format!("cannot listen on {address}: {error}")))
}

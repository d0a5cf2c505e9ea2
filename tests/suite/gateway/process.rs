//! Starting, stopping and watching a gateway.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdout, Command};

use super::Connection;

/// How long anything may take before the test fails: far more than a busy machine needs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Both binaries.
pub(crate) const BINARIES: [&str; 2] = ["gateway", "gateway-actix"];

/// Runs a test against a fresh process of each gateway with that configuration.
pub(crate) async fn on_both(config: &str, test: impl AsyncFn(Gateway)) {
    for binary in BINARIES {
        eprintln!("--- {binary}");
        test(Gateway::start(binary, config).await).await;
    }
}

/// Waits for something that must happen.
pub(crate) async fn soon<T>(what: &str, event: impl Future<Output = T>) -> T {
    let Ok(happened) = tokio::time::timeout(PATIENCE, event).await else { panic!("{what} did not happen") };
    happened
}

/// A gateway that serves.
pub(crate) struct Gateway {
    /// Which of the two it is.
    pub(crate) binary: &'static str,
    pub(crate) address: SocketAddr,
    pub(crate) scheme: String,
    pub(crate) dir: TempDir,
    child: Child,
    log: Lines<BufReader<ChildStderr>>,
    _out: Lines<BufReader<ChildStdout>>,
}

impl Gateway {
    /// Starts a binary with a configuration and waits until it accepts requests. `SECRET` in the configuration is the
    /// path of a file with the secret that [`token`](super::token) signs with.
    pub(crate) async fn start(binary: &'static str, config: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self::start_in(binary, config, dir).await
    }

    /// Like [`Gateway::start`], beside files that are there already.
    pub(crate) async fn start_in(binary: &'static str, config: &str, dir: TempDir) -> Self {
        let command = command(binary, config, dir.path());
        Self::spawn(binary, command, dir).await
    }

    /// Runs a command and waits until it accepts requests.
    pub(crate) async fn spawn(binary: &'static str, mut command: Command, dir: TempDir) -> Self {
        let mut child = command.spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let first = soon("the first line", out.next_line()).await.unwrap();
        let Some(line) = first else {
            while let Some(line) = log.next_line().await.unwrap() {
                eprintln!("{line}");
            }
            panic!("{binary} does not start");
        };
        let (scheme, address) = line.strip_prefix("listening on ").unwrap().split_once("://").unwrap();
        let (scheme, address) = (scheme.to_owned(), address.parse().unwrap());
        Self { binary, address, scheme, dir, child, log, _out: out }
    }

    /// A new connection in the clear.
    pub(crate) async fn connect(&self) -> Connection {
        Connection::open(self.address).await
    }

    /// Waits for a line of the log with that text.
    pub(crate) async fn logs(&mut self, text: &str) -> String {
        let found = async {
            loop {
                let line = self.log.next_line().await.unwrap().unwrap_or_else(|| panic!("{text:?} was never logged"));
                eprintln!("{line}");
                if line.contains(text) {
                    return line;
                }
            }
        };
        soon(text, found).await
    }

    /// Waits for the next line of the log.
    pub(crate) async fn next_line(&mut self) -> String {
        self.logs("").await
    }

    /// Replaces the configuration in one step, and says nothing of it.
    pub(crate) fn configure(&self, config: &str) {
        let draft = self.dir.path().join("draft");
        std::fs::write(&draft, config).unwrap();
        std::fs::rename(draft, self.dir.path().join("gateway.toml")).unwrap();
    }

    /// Waits until nobody listens any more.
    pub(crate) async fn refuses_connections(&self) {
        let refused = async {
            while tokio::net::TcpStream::connect(self.address).await.is_ok() {
                tokio::task::yield_now().await;
            }
        };
        soon("the end of listening", refused).await;
    }

    /// The most memory the process had so far, in bytes.
    pub(crate) fn peak_memory(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id().unwrap())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
    }

    /// Asks the process to stop.
    pub(crate) fn terminate(&self) {
        self.signal("-TERM");
    }

    /// Asks the process to read its configuration again.
    pub(crate) fn hang_up(&self) {
        self.signal("-HUP");
    }

    fn signal(&self, which: &str) {
        let pid = self.child.id().unwrap().to_string();
        assert!(std::process::Command::new("kill").args([which, &pid]).status().unwrap().success());
    }

    /// Kills the process, and hands over its files.
    pub(crate) async fn killed(mut self) -> TempDir {
        self.child.start_kill().unwrap();
        self.ends().await;
        self.dir
    }

    /// Waits for the process to end.
    pub(crate) async fn ends(&mut self) -> ExitStatus {
        soon("the end of the process", self.child.wait()).await.unwrap()
    }
}

/// A binary with a configuration, ready to be started on a free port.
pub(crate) fn command(binary: &str, config: &str, dir: &Path) -> Command {
    command_at(binary, config, dir, "127.0.0.1:0")
}

/// A binary with a configuration, ready to be started at an address.
pub(crate) fn command_at(binary: &str, config: &str, dir: &Path, address: &str) -> Command {
    std::fs::write(dir.join("secret"), super::tokens::SECRET).unwrap();
    let file = dir.join("gateway.toml");
    std::fs::write(&file, config).unwrap();
    let mut command = bare_command(binary, dir);
    command.args(["--listen", address, "--config"]).arg(file);
    command
}

/// A binary with a profile that it comes with, ready to be started on a free port.
pub(crate) fn profile_command(binary: &str, dir: &Path, profile: &str) -> Command {
    let mut command = bare_command(binary, dir);
    command.args(["--listen", "127.0.0.1:0", "--profile", profile]);
    command
}

fn bare_command(binary: &str, dir: &Path) -> Command {
    let mut command = plain_command(binary, dir);
    command.arg("--data-dir").arg(dir.join("data"));
    command
}

/// A binary in that folder, without any argument.
pub(crate) fn plain_command(binary: &str, dir: &Path) -> Command {
    let mut command = Command::new(path_of(binary));
    command
        .current_dir(dir)
        .env("RUST_LOG", "info")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// A binary's command line, for the gateway whose files lie in that folder: `arguments` without `--config` and
/// `--data-dir`.
pub(crate) fn tool(binary: &str, dir: &Path, arguments: &[&str]) -> std::process::Command {
    let mut command = std::process::Command::new(path_of(binary));
    command.args(arguments).arg("--config").arg(dir.join("gateway.toml")).arg("--data-dir").arg(dir.join("data"));
    command
}

/// Like [`tool`], for a gateway that runs with a profile that it comes with.
pub(crate) fn profile_tool(binary: &str, dir: &Path, arguments: &[&str], profile: &str) -> std::process::Command {
    let mut command = std::process::Command::new(path_of(binary));
    command.args(arguments).args(["--profile", profile, "--data-dir"]).arg(dir.join("data"));
    command
}

/// The program of that name, as cargo built it for this package.
fn path_of(binary: &str) -> &'static str {
    match binary {
        "gateway" => env!("CARGO_BIN_EXE_gateway-under-test"),
        "gateway-actix" => env!("CARGO_BIN_EXE_gateway-actix-under-test"),
        other => panic!("there is no gateway `{other}`"),
    }
}

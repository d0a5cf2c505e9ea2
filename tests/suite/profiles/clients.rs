//! Clients in other languages, with the calls of the programs in the guides, against both gateways.

use std::process::Stdio;

use tokio::process::Command;

use super::perform::Stage;
use super::story::Changes;
use crate::corpus::folder;
use crate::gateway::BINARIES;

/// How often a client's token has to run out.
const REFRESHES: &str = "2";

/// The profiles with clients in `tests/clients`.
const PROFILES: [&str; 4] = ["musicgen", "vantage", "marketing", "alianza"];

#[tokio::test]
async fn javascript_clients_outlive_their_tokens() {
    for profile in PROFILES {
        runs("node", &format!("clients/{profile}.mjs"), "nodejs", profile).await;
    }
}

#[tokio::test]
async fn python_clients_outlive_their_tokens() {
    for profile in PROFILES {
        runs("python3", &format!("clients/{profile}.py"), "python3", profile).await;
    }
    runs("python3", "clients/vagaro.py", "python3", "vagaro").await;
}

/// Runs a program against both gateways, whose tokens live for a second.
async fn runs(interpreter: &str, program: &str, package: &str, profile: &str) {
    let brief = Changes { replace: vec![(r#"lifetime = "1h""#.to_owned(), r#"lifetime = "1s""#.to_owned())] };
    for binary in BINARIES {
        let stage = Stage::start(binary, profile, Some(&brief)).await;
        let demo = |path: &str| stage.demo.pointer(path).and_then(serde_json::Value::as_str).unwrap_or_default();
        let mut command = Command::new(interpreter);
        command
            .arg(folder(program))
            .env("BASE_URL", demo("/base_url"))
            .env("EMAIL", demo("/users/0/email"))
            .env("USER_NAME", demo("/users/0/username"))
            .env("PASSWORD", demo("/users/0/password"))
            .env("API_KEY", demo("/api_keys/0/key"))
            .env("CLIENT_ID", demo("/clients/0/client_id"))
            .env("CLIENT_SECRET", demo("/clients/0/client_secret"))
            .env("REFRESHES", REFRESHES)
            .env("NO_PROXY", "127.0.0.1")
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let output = command.output().await;
        let output = output.unwrap_or_else(|error| {
            panic!("{interpreter} is needed for this test ({error}): apt-get install {package}");
        });
        let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{binary}: {program}: {said}");
    }
}

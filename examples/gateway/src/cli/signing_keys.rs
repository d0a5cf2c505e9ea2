//! `gateway signing-keys`: what signs the gateway's own tokens, and its assertions to upstreams.

use auth_core::Clock as _;
use auth_core::SystemClock;
use auth_core::issue::SigningKeys;
use serde_json::{Value, json};

use super::administration::{actor, or_dash};
use super::administration_arguments::{ListAll, SigningKeysCommand, WhichKeys};
use super::{Failure, Output, columns, say};
use crate::key_file::KeyFile;
use crate::log;

/// Does it, and prints the answer.
pub(super) fn run(command: &SigningKeysCommand) -> Result<(), Failure> {
    let (SigningKeysCommand::Rotate(arguments) | SigningKeysCommand::List(arguments)) = command;
    let WhichKeys { all: ListAll { whose, output }, assertions } = arguments;
    let config = whose.configuration()?;
    let (file, section) = if *assertions {
        (config.assertions.as_ref().map(KeyFile::of_assertions), "[assertions]")
    } else {
        (config.tokens.as_ref().map(KeyFile::of_tokens), "[tokens]")
    };
    let Some(file) = file else {
        return Err(Failure::Usage(format!("the configuration has no {section}")));
    };
    if !whose.data_dir.is_dir() {
        return Err(Failure::Obstacle(format!("there is no data directory {}", whose.data_dir.display())));
    }
    let data_dir = whose.data_dir(&config)?;
    let now = SystemClock.now().wall;
    let keys = match command {
        SigningKeysCommand::Rotate(_) => file.rotate(&data_dir, now),
        SigningKeysCommand::List(_) => file.open(&data_dir, now),
    };
    let keys = keys.map_err(Failure::obstacle)?;
    if matches!(command, SigningKeysCommand::Rotate(_)) {
        let (_log, by) = (log::start(&config.log), actor());
        let key = keys.current().id();
        tracing::info!(target: "auth::account", what = "signing_keys_rotate", key = &**key, by = &*by.subject);
    }
    say(&listed(&keys, *output))
}

fn listed(keys: &SigningKeys, output: Output) -> String {
    let all = keys.ages().map(|(key, replaced)| {
        let status = if replaced.is_some() { "verifies" } else { "signs" };
        (key.id(), key.algorithm(), status, replaced.map(auth_core::Timestamp::to_rfc3339))
    });
    if output == Output::Json {
        let all = all.map(|(id, algorithm, status, replaced)| {
            json!({ "id": &**id, "algorithm": algorithm.as_str(), "status": status, "replaced": replaced })
        });
        return format!("{:#}\n", Value::Array(all.collect()));
    }
    let rows = all.map(|(id, algorithm, status, replaced)| {
        [id.to_string(), algorithm.as_str().to_owned(), status.to_owned(), or_dash(replaced.as_deref())]
    });
    columns(["ID", "ALGORITHM", "STATUS", "REPLACED"], rows)
}

//! `gateway tokens`: making, listing and revoking opaque tokens.

use std::sync::Arc;

use auth_core::issue::{MintedToken, NewToken, TokenError};
use auth_core::opaque::{TokenRecord, TokenStatus};
use auth_core::store::TokenScope;
use auth_core::{Clock as _, Now, SystemClock};
use serde_json::{Value, json};

use super::{CreateToken, Failure, Output, TokensCommand, WhichTokens, Whose, columns, open_or_make, say};
use crate::config::Store;
use crate::start::waiting_runtime;
use crate::wiring::OpaqueTokens;

/// Does it, and prints the answer.
pub(super) fn run(command: &TokensCommand) -> Result<(), Failure> {
    let now = SystemClock.now();
    let runtime = waiting_runtime()?;
    match command {
        TokensCommand::Create(arguments) => {
            let tokens = tokens(&arguments.whose)?;
            let wanted = wanted(arguments, &tokens, now)?;
            let minted = runtime.block_on(tokens.service.mint(wanted, now)).map_err(refused)?;
            say_minted(&minted, now, arguments.output)
        }
        TokensCommand::List(arguments) => {
            let tokens = tokens(&arguments.whose)?;
            let records = runtime.block_on(tokens.service.list(&scope(&arguments.which, &tokens)?));
            say(&listed(&records.map_err(Failure::obstacle)?, now, arguments.output))
        }
        TokensCommand::Revoke(arguments) => {
            let tokens = tokens(&arguments.whose)?;
            let revoked = runtime.block_on(tokens.service.revoke(&scope(&arguments.which, &tokens)?));
            match revoked.map_err(Failure::obstacle)? {
                1 => say("1 token is revoked\n"),
                more => say(&format!("{more} tokens are revoked\n")),
            }
        }
    }
}

fn tokens(whose: &Whose) -> Result<OpaqueTokens, Failure> {
    let config = whose.configuration()?;
    let Some(settings) = &config.opaque_tokens else {
        return Err(Failure::Usage("the configuration has no [opaque_tokens]".to_owned()));
    };
    if settings.store == Store::Memory {
        let why = "`store = \"memory\"` keeps tokens in the serving process, where no command can reach them";
        return Err(Failure::Usage(why.to_owned()));
    }
    let tokens = open_or_make(whose, &config)?.opaque_tokens;
    tokens.ok_or_else(|| Failure::obstacle("the configuration has no [opaque_tokens]"))
}

fn refused(error: TokenError) -> Failure {
    match error {
        TokenError::Invalid(_) => Failure::Usage(error.to_string()),
        _ => Failure::obstacle(error),
    }
}

fn wanted(arguments: &CreateToken, tokens: &OpaqueTokens, now: Now) -> Result<NewToken, Failure> {
    let text = |text: &Option<String>| text.as_deref().map(Arc::from);
    let mut wanted = NewToken::new(arguments.subject.as_str(), now.wall.saturating_add(arguments.lifetime));
    wanted.tenant = text(&arguments.tenant);
    wanted.plan = text(&arguments.plan);
    wanted.permissions = arguments.permissions.iter().map(String::as_str).collect();
    wanted.roles = arguments.roles.iter().map(String::as_str).collect();
    wanted.session = match &arguments.session {
        Some(session) => Some(session.as_str().into()),
        None => Some(tokens.service.new_session().map_err(Failure::obstacle)?),
    };
    wanted.idle_limit = arguments.idle_limit;
    Ok(wanted)
}

fn scope(which: &WhichTokens, tokens: &OpaqueTokens) -> Result<TokenScope, Failure> {
    let issuer = Arc::clone(&tokens.issuer);
    match (&which.id, &which.subject, &which.session) {
        (Some(id), ..) => Ok(TokenScope::Id(id.as_str().into())),
        (_, Some(subject), _) => Ok(TokenScope::Subject { issuer, subject: subject.as_str().into() }),
        (.., Some(id)) => Ok(TokenScope::Session { issuer, id: id.as_str().into() }),
        (None, None, None) => Err(Failure::Usage("say which tokens: by --id, --subject or --session".to_owned())),
    }
}

fn say_minted(minted: &MintedToken, now: Now, output: Output) -> Result<(), Failure> {
    let token = minted.token.expose_text().unwrap_or_default();
    if output == Output::Json {
        let mut json = described(&minted.record, now);
        json["token"] = json!(token);
        return say(&format!("{json:#}\n"));
    }
    eprintln!("{} was made; the token is not shown again", minted.record.id);
    say(&format!("{token}\n"))
}

fn listed(records: &[TokenRecord], now: Now, output: Output) -> String {
    if output == Output::Json {
        let all: Vec<Value> = records.iter().map(|record| described(record, now)).collect();
        return format!("{:#}\n", Value::Array(all));
    }
    let heads = ["ID", "SUBJECT", "TENANT", "PERMISSIONS", "SESSION", "STATUS", "ENDS", "LAST SEEN"];
    let rows = records.iter().map(|record| {
        let text = |text: &Option<Arc<str>>| text.as_deref().unwrap_or("-").to_owned();
        [
            record.id.to_string(),
            record.subject.to_string(),
            text(&record.tenant),
            record.permissions.iter().collect::<Vec<_>>().join(","),
            text(&record.session),
            status(record, now).to_owned(),
            record.end_after(record.last_seen).to_rfc3339(),
            record.last_seen.to_rfc3339(),
        ]
    });
    columns(heads, rows)
}

fn status(record: &TokenRecord, now: Now) -> &'static str {
    match record.status {
        TokenStatus::Revoked => "revoked",
        TokenStatus::Active if record.check(record.last_seen, now.wall).is_err() => "ended",
        TokenStatus::Active => "active",
    }
}

/// Everything about a token that is no secret.
fn described(record: &TokenRecord, now: Now) -> Value {
    json!({
        "id": &*record.id,
        "subject": &*record.subject,
        "tenant": record.tenant.as_deref(),
        "plan": record.plan.as_deref(),
        "permissions": record.permissions.iter().collect::<Vec<_>>(),
        "roles": record.roles.iter().collect::<Vec<_>>(),
        "session": record.session.as_deref(),
        "created": record.created.to_rfc3339(),
        "ends": record.end_after(record.last_seen).to_rfc3339(),
        "last_seen": record.last_seen.to_rfc3339(),
        "status": status(record, now),
    })
}

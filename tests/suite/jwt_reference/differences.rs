//! Where the two verifiers may differ, row by row.

use std::collections::HashSet;
use std::fmt;

use auth_core::CredentialFault::{
    self, Claims, Critical, Expired, Issuer, Kind, Malformed, NotYetValid, TooLong, UnknownKey,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::LEEWAY;
use super::signers::{KEY_ID, Signer};

/// We refuse for this fault what the reference accepts, and are right to.
pub(super) struct Stricter {
    pub(super) id: &'static str,
    pub(super) fault: CredentialFault,
    pub(super) explains: fn(&Seen) -> bool,
}

/// We accept what the reference refuses, and are right to.
pub(super) struct Wider {
    pub(super) id: &'static str,
    pub(super) explains: fn(&Seen) -> bool,
}

/// A token as an independent reader sees it.
#[derive(Debug)]
pub(super) struct Seen {
    token: String,
    algorithm: &'static str,
    now: f64,
    header: Value,
    claims: Value,
    duplicates: bool,
}

impl Seen {
    pub(super) fn new(token: &str, signer: &Signer, now: u64) -> Self {
        let part =
            |at: usize| token.split('.').nth(at).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok()).unwrap_or_default();
        let (header, claims) = (part(0), part(1));
        let duplicates = |bytes: &[u8]| serde_json::from_slice::<Duplicates>(bytes).is_ok_and(|found| found.0);
        Self {
            token: token.to_owned(),
            algorithm: signer.name,
            now: f64::from(u32::try_from(now).unwrap()),
            header: serde_json::from_slice(&header).unwrap_or_default(),
            claims: serde_json::from_slice(&claims).unwrap_or_default(),
            duplicates: duplicates(&header) || duplicates(&claims),
        }
    }

    fn has(&self, name: &str) -> bool {
        self.header.get(name).is_some()
    }

    fn claims_any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.claims.get(name).is_some())
    }

    fn time(&self, name: &str) -> Option<f64> {
        self.claims.get(name).and_then(Value::as_f64)
    }

    /// The claim is there and not a number from 0 to the end of the year 9999.
    fn odd_time(&self, name: &str) -> bool {
        let in_range = |seconds: f64| (0.0..=253_402_300_799.0).contains(&seconds) && seconds.is_sign_positive();
        self.claims.get(name).is_some() && !self.time(name).is_some_and(in_range)
    }

    /// The claim is there and no text that could name something; null counts as told.
    fn odd_name(&self, name: &str, null_is_absent: bool) -> bool {
        let named = |text: &str| !text.is_empty() && !text.chars().any(char::is_control);
        match self.claims.get(name) {
            None => false,
            Some(Value::Null) => !null_is_absent,
            Some(value) => !value.as_str().is_some_and(named),
        }
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

fn width(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(width).max().unwrap_or(0),
        Value::Object(members) => members.values().map(width).max().unwrap_or(0).max(members.len()),
        _ => 0,
    }
}

fn says_another_kind(seen: &Seen) -> bool {
    let word = |name: &str| seen.claims.get(name).and_then(Value::as_str).map(str::to_ascii_lowercase);
    let others = ["id", "refresh", "refresh_token"];
    let other = |name: &str| word(name).is_some_and(|word| others.contains(&word.as_str()));
    let token_use = seen.claims.get("token_use").is_some() && word("token_use").as_deref() != Some("access");
    token_use || ["typ", "type", "token_type"].into_iter().any(other)
}

pub(super) const STRICTER: &[Stricter] = &[
    Stricter { id: "J40", fault: TooLong, explains: |seen| seen.token.len() > 8192 },
    // the reference reads {"HS256":null} as the name HS256
    Stricter { id: "J2", fault: Malformed, explains: |seen| !seen.header["alg"].is_string() },
    Stricter { id: "J7", fault: Malformed, explains: |seen| seen.has("enc") },
    Stricter { id: "J10", fault: Critical, explains: |seen| seen.has("crit") || seen.has("b64") || seen.has("zip") },
    Stricter { id: "J11", fault: Malformed, explains: |seen| seen.duplicates },
    Stricter {
        id: "J13",
        fault: Malformed,
        explains: |seen| seen.header.get("kid").is_some_and(|kid| !kid.is_string()),
    },
    Stricter {
        id: "J13",
        fault: UnknownKey,
        explains: |seen| seen.header["kid"].as_str().is_some_and(|kid| kid != KEY_ID),
    },
    Stricter {
        id: "J28",
        fault: Malformed,
        explains: |seen| seen.header.get("typ").is_some_and(|typ| !typ.is_string()),
    },
    // the reference takes an array for the struct that it reads claims into
    Stricter { id: "J37", fault: Malformed, explains: |seen| !seen.claims.is_object() },
    Stricter { id: "J37", fault: Malformed, explains: |seen| depth(&seen.header).max(depth(&seen.claims)) > 32 },
    Stricter { id: "J37", fault: Malformed, explains: |seen| width(&seen.header).max(width(&seen.claims)) > 256 },
    Stricter { id: "J25", fault: Issuer, explains: |seen| seen.claims["iss"].is_array() },
    Stricter {
        id: "J28",
        fault: Kind,
        explains: |seen| {
            let typ = seen.header["typ"].as_str().unwrap_or("JWT").to_ascii_lowercase();
            !["jwt", "at+jwt"].contains(&typ.strip_prefix("application/").unwrap_or(&typ))
        },
    },
    Stricter { id: "J28", fault: Kind, explains: |seen| seen.claims_any(&["nonce", "at_hash", "c_hash", "events"]) },
    Stricter { id: "J28", fault: Kind, explains: |seen| seen.claims_any(&["htm"]) && seen.claims_any(&["htu"]) },
    Stricter { id: "J28", fault: Kind, explains: says_another_kind },
    Stricter { id: "D8", fault: Kind, explains: |seen| seen.claims_any(&["cnf"]) },
    Stricter {
        id: "J23",
        fault: Claims,
        explains: |seen| ["exp", "nbf", "iat"].iter().any(|name| seen.odd_time(name)),
    },
    Stricter {
        id: "J22",
        fault: NotYetValid,
        explains: |seen| ["nbf", "iat"].iter().filter_map(|name| seen.time(name)).any(|at| at > seen.now + leeway()),
    },
    Stricter {
        id: "J21",
        fault: Expired,
        explains: |seen| seen.time("exp").is_some_and(|at| seen.now >= at + leeway()),
    },
    Stricter { id: "J26", fault: Claims, explains: |seen| seen.odd_name("sub", false) },
    Stricter {
        id: "J32",
        fault: Claims,
        explains: |seen| {
            let posing = seen.claims["sub"].as_str().is_some_and(|sub| sub.starts_with("client:"));
            posing && seen.claims["client_id"] != seen.claims["sub"] || seen.odd_name("client_id", false)
        },
    },
    Stricter { id: "S9", fault: Claims, explains: |seen| seen.odd_name("tenant", true) || seen.odd_name("plan", true) },
    Stricter { id: "S16", fault: Claims, explains: |seen| seen.odd_name("jti", false) },
];

pub(super) const WIDER: &[Wider] = &[
    Wider { id: "J6", explains: |seen| seen.algorithm == "EdDSA" && seen.header["alg"] == "Ed25519" },
    // the reference reads members that it does not use either, and fails where they have another type
    Wider {
        id: "J12",
        explains: |seen| {
            let texts = ["cty", "jku", "x5u", "x5t", "x5t#S256", "nonce", "url"];
            let certificates = |chain: &Value| chain.as_array().is_some_and(|chain| chain.iter().all(Value::is_string));
            texts.iter().any(|name| seen.header.get(name).is_some_and(|value| !value.is_string()))
                || seen.header.get("x5c").is_some_and(|chain| !certificates(chain))
                || seen.has("jwk")
        },
    },
];

fn leeway() -> f64 {
    f64::from(u32::try_from(LEEWAY).unwrap())
}

/// Whether some object of a text has two members of one name.
struct Duplicates(bool);

impl<'de> Deserialize<'de> for Duplicates {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Look)
    }
}

struct Look;

impl<'de> Visitor<'de> for Look {
    type Value = Duplicates;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Duplicates, E> {
        Ok(Duplicates(false))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Duplicates, E> {
        Ok(Duplicates(false))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Duplicates, E> {
        Ok(Duplicates(false))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Duplicates, E> {
        Ok(Duplicates(false))
    }

    fn visit_str<E>(self, _: &str) -> Result<Duplicates, E> {
        Ok(Duplicates(false))
    }

    fn visit_unit<E>(self) -> Result<Duplicates, E> {
        Ok(Duplicates(false))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Duplicates, A::Error> {
        let mut found = false;
        while let Some(item) = items.next_element::<Duplicates>()? {
            found |= item.0;
        }
        Ok(Duplicates(found))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Duplicates, A::Error> {
        let (mut found, mut names) = (false, HashSet::new());
        while let Some((name, value)) = members.next_entry::<String, Duplicates>()? {
            found |= !names.insert(name) || value.0;
        }
        Ok(Duplicates(found))
    }
}

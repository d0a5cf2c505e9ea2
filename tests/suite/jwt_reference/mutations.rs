//! A token before it is signed, and the ways to spoil it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::signers::{KEY_ID, SIGNERS, Signer};
use super::{AUDIENCE, ISSUER};

/// Header and claims as members of raw JSON, so that they can be wrong in every way.
pub(super) struct Draft {
    header: Vec<(String, String)>,
    claims: Vec<(String, String)>,
    payload: Option<Vec<u8>>,
    now: u64,
    signer: usize,
    text: Vec<TextChange>,
}

/// One way to change a draft.
#[derive(Clone, Debug)]
pub(super) enum Mutation {
    Header(String, String),
    NoHeader(&'static str),
    /// The same member twice.
    SecondHeader(String, String),
    Claim(String, String),
    NoClaim(&'static str),
    SecondClaim(String, String),
    /// A time relative to now.
    Time(&'static str, i64, &'static str),
    Payload(String),
    RawPayload(Vec<u8>),
    /// Signs with the key of another algorithm.
    Signer(Index),
    Text(TextChange),
}

/// What happens to the finished text.
#[derive(Clone, Debug)]
pub(super) enum TextChange {
    Replace(Index, char),
    Insert(Index, char),
    Remove(Index),
    Cut(Index),
    Append(&'static str),
    NoSignature,
}

impl Draft {
    pub(super) fn good(signer: &Signer, now: u64) -> Self {
        let quoted = |text: &str| format!("\"{text}\"");
        let member = |name: &str, json: String| (name.to_owned(), json);
        let place = SIGNERS.iter().position(|other| other.name == signer.name).unwrap();
        Self {
            header: vec![
                member("alg", quoted(signer.name)),
                member("typ", quoted("JWT")),
                member("kid", quoted(KEY_ID)),
            ],
            claims: vec![
                member("iss", quoted(ISSUER)),
                member("aud", quoted(AUDIENCE)),
                member("sub", quoted("ada")),
                member("exp", (now + 60).to_string()),
                member("scope", quoted("read write")),
            ],
            payload: None,
            now,
            signer: place,
            text: Vec::new(),
        }
    }

    pub(super) fn apply(&mut self, mutation: &Mutation) {
        match mutation.clone() {
            Mutation::Header(name, json) => set(&mut self.header, name, json),
            Mutation::NoHeader(name) => self.header.retain(|(other, _)| other != name),
            Mutation::SecondHeader(name, json) => twice(&mut self.header, &name, &json),
            Mutation::Claim(name, json) => set(&mut self.claims, name, json),
            Mutation::NoClaim(name) => self.claims.retain(|(other, _)| other != name),
            Mutation::SecondClaim(name, json) => twice(&mut self.claims, &name, &json),
            Mutation::Time(name, offset, fraction) => {
                let instant = self.now.checked_add_signed(offset).unwrap_or(0);
                set(&mut self.claims, name.to_owned(), format!("{instant}{fraction}"));
            }
            Mutation::Payload(text) => self.payload = Some(text.into_bytes()),
            Mutation::RawPayload(bytes) => self.payload = Some(bytes),
            Mutation::Signer(other) => self.signer = other.index(SIGNERS.len()),
            Mutation::Text(change) => self.text.push(change),
        }
    }

    pub(super) fn token(&self) -> String {
        let payload = self.payload.clone().unwrap_or_else(|| object(&self.claims).into_bytes());
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(object(&self.header)), URL_SAFE_NO_PAD.encode(payload));
        let token = format!("{signed}.{}", SIGNERS[self.signer].sign(&signed));
        self.text.iter().fold(token, |token, change| change.apply(token))
    }
}

impl TextChange {
    fn apply(&self, mut token: String) -> String {
        if token.is_empty() {
            return token;
        }
        let len = token.chars().count();
        let byte = |token: &str, at: usize| token.char_indices().nth(at).map_or(token.len(), |(byte, _)| byte);
        match self {
            Self::Replace(at, with) => {
                let at = byte(&token, at.index(len));
                token.remove(at);
                token.insert(at, *with);
            }
            Self::Insert(at, what) => token.insert(byte(&token, at.index(len + 1)), *what),
            Self::Remove(at) => {
                token.remove(byte(&token, at.index(len)));
            }
            Self::Cut(at) => token.truncate(byte(&token, at.index(len))),
            Self::Append(what) => token.push_str(what),
            Self::NoSignature => token.truncate(token.rfind('.').map_or(token.len(), |dot| dot + 1)),
        }
        token
    }
}

fn set(members: &mut Vec<(String, String)>, name: String, json: String) {
    match members.iter_mut().find(|(other, _)| *other == name) {
        Some((_, value)) => *value = json,
        None => members.push((name, json)),
    }
}

fn twice(members: &mut Vec<(String, String)>, name: &str, json: &str) {
    if !members.iter().any(|(other, _)| other == name) {
        members.push((name.to_owned(), json.to_owned()));
    }
    members.push((name.to_owned(), json.to_owned()));
}

fn object(members: &[(String, String)]) -> String {
    let members: Vec<_> = members.iter().map(|(name, json)| format!("\"{name}\":{json}")).collect();
    format!("{{{}}}", members.join(","))
}

pub(super) fn mutation() -> impl Strategy<Value = Mutation> {
    prop_oneof![
        6 => header(),
        8 => claim(),
        6 => time(),
        1 => select(vec!["alg", "typ", "kid"]).prop_map(Mutation::NoHeader),
        1 => select(vec!["iss", "aud", "sub", "exp", "scope"]).prop_map(Mutation::NoClaim),
        1 => (select(vec!["alg", "typ", "kid", "x", "cty"]), json())
            .prop_map(|(name, json)| Mutation::SecondHeader(name.into(), json.into())),
        1 => (select(vec!["iss", "aud", "sub", "exp", "nbf", "x", "\\u0073ub", "e\\u0078p"]), json())
            .prop_map(|(name, json)| Mutation::SecondClaim(name.into(), json.into())),
        1 => payload(),
        1 => any::<Index>().prop_map(Mutation::Signer),
        2 => text().prop_map(Mutation::Text),
    ]
}

fn json() -> impl Strategy<Value = &'static str> {
    select(vec![
        "null",
        "true",
        "1",
        "0",
        "-1",
        "1.5",
        "1e3",
        "1e400",
        "01",
        "\"\"",
        "\"a\"",
        "\"a b\"",
        "[]",
        "[\"a\"]",
        "[1]",
        "[\"a\",1]",
        "{}",
        "{\"a\":1}",
        "{\"a\":1,\"a\":2}",
        "\"\\ud800\"",
        "\"\\ud83d\\ude00\"",
        "\"\\u0000\"",
        "\"a\\nb\"",
        "NaN",
        "",
        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
    ])
}

fn header() -> impl Strategy<Value = Mutation> {
    let algorithms = select(vec![
        "\"none\"",
        "\"None\"",
        "\"hs256\"",
        "\"HS256\"",
        "\"HS384\"",
        "\"HS512\"",
        "\"RS256\"",
        "\"PS256\"",
        "\"PS512\"",
        "\"ES256\"",
        "\"ES384\"",
        "\"ES512\"",
        "\"ES256K\"",
        "\"EdDSA\"",
        "\"Ed25519\"",
        "\"HS256 \"",
        "\"H\\u0053256\"",
        "{\"HS256\":null}",
        "[\"HS256\"]",
        "null",
        "256",
    ]);
    let types = select(vec![
        "\"JWT\"",
        "\"jwt\"",
        "\"at+jwt\"",
        "\"AT+JWT\"",
        "\"application/at+jwt\"",
        "\"application/jwt\"",
        "\"dpop+jwt\"",
        "\"logout+jwt\"",
        "\"secevent+jwt\"",
        "\"client-authentication+jwt\"",
        "\"\"",
        "null",
        "1",
        "[\"JWT\"]",
    ]);
    let ids = select(vec!["\"k1\"", "\"k\\u0031\"", "\"k2\"", "\"K1\"", "\"\"", "\"../k1\"", "null", "1", "[\"k1\"]"]);
    let others = select(vec![
        "crit", "b64", "zip", "enc", "cty", "jku", "jwk", "x5u", "x5c", "x5t", "x5t#S256", "nonce", "url", "x", "",
    ]);
    let member = |name: &str, json: &str| Mutation::Header(name.to_owned(), json.to_owned());
    prop_oneof![
        3 => algorithms.prop_map(move |json| member("alg", json)),
        2 => types.prop_map(move |json| member("typ", json)),
        2 => ids.prop_map(move |json| member("kid", json)),
        3 => (others, json()).prop_map(move |(name, json)| member(name, json)),
    ]
}

fn claim() -> impl Strategy<Value = Mutation> {
    let member = |name: &str, json: &str| Mutation::Claim(name.to_owned(), json.to_owned());
    let issuers = select(vec![
        "\"https://login.example/\"",
        "\"https://LOGIN.example\"",
        "[\"https://login.example\"]",
        "\"\"",
        "null",
        "1",
        "[\"https://login.example\",\"x\"]",
        "\"https:\\/\\/login.example\"",
        "{}",
        "[]",
    ]);
    let audiences = select(vec![
        "\"other\"",
        "[\"api\"]",
        "[\"other\",\"api\"]",
        "[\"api\",\"api\"]",
        "[]",
        "[\"api\",1]",
        "[[\"api\"]]",
        "\"\"",
        "null",
        "{}",
        "1",
        "\"ap\\u0069\"",
        "[\"other\"]",
    ]);
    let subjects =
        select(vec!["\"eve\"", "\"\"", "null", "1", "[\"ada\"]", "\"client:ada\"", "\"a\\tb\"", "\"\\u00e9\"", "{}"]);
    let kinds = select(vec![
        ("nonce", "\"n\""),
        ("at_hash", "\"h\""),
        ("c_hash", "\"h\""),
        ("token_use", "\"id\""),
        ("token_use", "\"access\""),
        ("typ", "\"ID\""),
        ("typ", "\"Bearer\""),
        ("typ", "\"Refresh\""),
        ("type", "\"refresh\""),
        ("token_type", "\"Bearer\""),
        ("events", "{}"),
        ("htm", "\"GET\""),
        ("htu", "\"https://x\""),
        ("cnf", "{}"),
        ("client_id", "\"ada\""),
    ]);
    let names = select(vec![
        "client_id",
        "jti",
        "tenant",
        "plan",
        "scope",
        "roles",
        "permissions",
        "name",
        "x",
        "nonce",
        "token_use",
        "typ",
    ]);
    prop_oneof![
        2 => issuers.prop_map(move |json| member("iss", json)),
        3 => audiences.prop_map(move |json| member("aud", json)),
        2 => subjects.prop_map(move |json| member("sub", json)),
        2 => kinds.prop_map(move |(name, json)| member(name, json)),
        4 => (names, json()).prop_map(move |(name, json)| member(name, json)),
    ]
}

fn time() -> impl Strategy<Value = Mutation> {
    let name = || select(vec!["exp", "nbf", "iat"]);
    let offset = select(vec![-100_000, -62, -61, -60, -59, -58, -1, 0, 1, 58, 59, 60, 61, 62, 100_000]);
    let fraction = select(vec!["", "", ".0", ".4", ".5", ".6", ".999", "e0", "e1", "e-3"]);
    let odd = select(vec![
        "null",
        "true",
        "\"1900000000\"",
        "\"\"",
        "[]",
        "{}",
        "-1",
        "-0",
        "-0.0",
        "-1.5",
        "0",
        "0.0",
        "1e300",
        "1e400",
        "18446744073709551615",
        "18446744073709551616",
        "253402300799",
        "253402300800",
        "1.9e9",
        "19e8",
        "1900000000000",
        "9007199254740993",
        "NaN",
        "01",
    ]);
    prop_oneof![
        3 => (name(), offset, fraction).prop_map(|(name, offset, fraction)| Mutation::Time(name, offset, fraction)),
        2 => (name(), odd).prop_map(|(name, json)| Mutation::Claim(name.to_owned(), json.to_owned())),
    ]
}

fn payload() -> impl Strategy<Value = Mutation> {
    let texts = vec![
        String::new(),
        "null".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        "\u{feff}{}".to_owned(),
        format!("[1900000000,0,\"ada\",\"{ISSUER}\",\"{AUDIENCE}\"]"),
        format!(" {{\"iss\":\"{ISSUER}\",\"aud\":\"{AUDIENCE}\",\"sub\":\"ada\",\"exp\":1900000000}} "),
        format!("{{\"iss\":\"{ISSUER}\",\"aud\":\"{AUDIENCE}\",\"sub\":\"ada\",\"exp\":1900000000}}x"),
        format!("{{\"iss\":\"{ISSUER}\",\"aud\":\"{AUDIENCE}\",\"sub\":\"ada\",\"exp\":1900000000,}}"),
        format!("{{\"iss\":\"{ISSUER}\",\"aud\":\"{AUDIENCE}\",\"sub\":\"ada\",\"exp\":1900000000}}\0"),
    ];
    let bytes = format!("{{\"iss\":\"{ISSUER}\",\"aud\":\"{AUDIENCE}\",\"exp\":1900000000,\"sub\":\"").into_bytes();
    let raw =
        vec![[&bytes, &b"\xe9\"}"[..]].concat(), [&bytes, &b"\xc3\xa9\"}"[..]].concat(), vec![0xff, 0xfe, b'{', 0]];
    prop_oneof![3 => select(texts).prop_map(Mutation::Payload), 1 => select(raw).prop_map(Mutation::RawPayload)]
}

fn text() -> impl Strategy<Value = TextChange> {
    let character = || {
        prop_oneof![
            4 => select("ABYZabyz0189-_".chars().collect::<Vec<_>>()),
            1 => select(".=+/ \n\"{é".chars().collect::<Vec<_>>()),
        ]
    };
    prop_oneof![
        (any::<Index>(), character()).prop_map(|(at, with)| TextChange::Replace(at, with)),
        (any::<Index>(), character()).prop_map(|(at, what)| TextChange::Insert(at, what)),
        any::<Index>().prop_map(TextChange::Remove),
        any::<Index>().prop_map(TextChange::Cut),
        select(vec![".", "=", "==", "A", "AA", " ", "\n", "..", ".a.b"]).prop_map(TextChange::Append),
        Just(TextChange::NoSignature),
    ]
}

//! What it costs to find a remembered token again, beside what its digest alone would cost:
//! `cargo bench -p auth-core --bench look_up`.
//!
//! A look-up makes the keyed fingerprint of the whole text, finds the set and the identity, and checks the times. The others
//! are what could stand for the text instead: `SipHash` with 128 bits, a keyed pseudorandom function, and SHA-256, with the
//! processor's own instructions where it has them. All take turns; printed are the medians of the rounds.
#![allow(missing_docs, clippy::print_stdout, reason = "a program")]

use std::error::Error;
use std::hash::Hasher;
use std::hint::black_box;
use std::time::Instant;

use auth_core::keys::{Algorithm, KeySet, VerificationKey};
use auth_core::verify::jwt::{Issuer, JwtVerifier};
use auth_core::verify::{CacheSize, Verifier};
use auth_core::{Clock, Outcome, Secret, SystemClock};
use aws_lc_rs::{digest, hmac};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use siphasher::sip128::{Hasher128, SipHasher24};

const ISSUER: &str = "https://login.example.com/";
const AUDIENCE: &str = "https://api.example.com";
const SECRET: &[u8] = b"an example of a secret of more than 32 bytes";
const AT_ONCE: u32 = 1_000;

fn main() -> Result<(), Box<dyn Error>> {
    let rounds = if std::env::args().any(|argument| argument == "--bench") { 501 } else { 1 };
    println!("ns, medians of {rounds} rounds of {AT_ONCE}\n");
    println!("| token | look-up, all of it | SipHash-2-4 of 128 bits | SHA-256 |\n|---|--:|--:|--:|");
    for permissions in [0, 20, 40] {
        let token = token(permissions);
        let key = VerificationKey::shared_secret(Algorithm::Hs256, &Secret::new(SECRET.to_vec()))?;
        let verifier = JwtVerifier::new([Issuer::new(ISSUER, [AUDIENCE], KeySet::new([key])?)])?;
        let verifier = verifier.remembering(CacheSize::default());
        let now = SystemClock.now();
        if !matches!(verifier.verify(&token, now), Outcome::Done(Ok(_))) {
            return Err("the token was refused".into());
        }
        let text = token.as_bytes();
        let look_up = || assert!(verifier.remembered(black_box(text), now).is_some());
        let siphash = || {
            let mut hasher = SipHasher24::new_with_keys(black_box(1), black_box(2));
            hasher.write(black_box(text));
            black_box(hasher.finish128());
        };
        let sha256 = || {
            black_box(digest::digest(&digest::SHA256, black_box(text)));
        };
        let mut times = [const { Vec::new() }; 3];
        for _ in 0..rounds {
            let subjects: [&dyn Fn(); 3] = [&look_up, &siphash, &sha256];
            for (times, subject) in times.iter_mut().zip(subjects) {
                let begun = Instant::now();
                (0..AT_ONCE).for_each(|_| subject());
                times.push(begun.elapsed().as_secs_f64() * 1e9 / f64::from(AT_ONCE));
            }
        }
        let [look_up, siphash, sha256] = times.map(median);
        println!("| {} bytes | {look_up:.0} | {siphash:.0} | {sha256:.0} |", text.len());
    }
    Ok(())
}

fn token(permissions: usize) -> String {
    let expiry = SystemClock.now().wall.unix_seconds() + 3_600;
    let listed = (0..permissions).map(|number| format!(r#""orders:{number:02}:read""#)).collect::<Vec<_>>().join(",");
    let claims =
        format!(r#"{{"iss":"{ISSUER}","sub":"user_1","aud":"{AUDIENCE}","exp":{expiry},"permissions":[{listed}]}}"#);
    let [header, claims] = [r#"{"alg":"HS256","typ":"JWT"}"#, &claims].map(|part| URL_SAFE_NO_PAD.encode(part));
    let signed = format!("{header}.{claims}");
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET), signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

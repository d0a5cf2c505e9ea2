//! What a token must look like before anything in it is believed.

use super::*;

fn fault(token: &str) -> Option<CredentialFault> {
    verify(&verifier(issuer()), token).err()
}

fn payload() -> String {
    good().to_string()
}

#[test]
fn j1_the_header_never_widens_the_list_of_algorithms() {
    for alg in ["HS384", "HS512", "RS256", "PS256", "ES256", "EdDSA", "Ed25519", "ES256K", "ES512"] {
        let token = sign(&format!(r#"{{"alg":"{alg}"}}"#), &payload());
        assert_eq!(fault(&token), Some(CredentialFault::Algorithm), "{alg}");
    }
}

#[test]
fn j2_algorithm_names_are_compared_exactly() {
    for alg in ["hs256", "Hs256", "HS256 ", " HS256", "HS-256", "", "HS256\\u0000"] {
        let token = sign(&format!(r#"{{"alg":"{alg}"}}"#), &payload());
        assert_eq!(fault(&token), Some(CredentialFault::Algorithm), "{alg:?}");
    }
    let escaped = sign(r#"{"\u0061lg":"HS\u003256"}"#, &payload());
    assert_eq!(fault(&escaped), None, "an escape is another spelling of the same text");
}

#[test]
fn j5_none_is_refused_in_every_spelling() {
    for alg in ["none", "None", "NONE", "nOnE", "noNE"] {
        for signature in ["", "AA"] {
            let unsigned = format!("{}.{}.{signature}", base64(format!(r#"{{"alg":"{alg}"}}"#)), base64(payload()));
            assert_eq!(fault(&unsigned), Some(CredentialFault::Algorithm), "{alg}");
        }
        assert_eq!(fault(&sign(&format!(r#"{{"alg":"{alg}"}}"#), &payload())), Some(CredentialFault::Algorithm));
    }
    assert_eq!(fault(&format!("{}.{}.", base64(HEADER), base64(payload()))), Some(CredentialFault::Signature));
}

#[test]
fn j5_alg_must_be_there_and_a_string() {
    for header in
        [r#"{"typ":"JWT"}"#, "{}", r#"{"alg":null}"#, r#"{"alg":256}"#, r#"{"alg":["HS256"]}"#, r#"{"alg":{}}"#]
    {
        assert_eq!(fault(&sign(header, &payload())), Some(CredentialFault::Malformed), "{header}");
    }
}

#[test]
fn j7_encrypted_tokens_are_refused() {
    let five = format!("{}.a.b.c.d", base64(r#"{"alg":"dir","enc":"A256GCM"}"#));
    assert_eq!(fault(&five), Some(CredentialFault::Malformed));
    let three = sign(r#"{"alg":"HS256","enc":"A256GCM"}"#, &payload());
    assert_eq!(fault(&three), Some(CredentialFault::Malformed));
}

#[test]
fn j8_only_base64url_and_two_dots_are_read() {
    let good = token(&payload());
    assert_eq!(fault(&good), None);
    for byte in ['"', '{', '}', ' ', '\t', '\n', '\r', '\0', '+', '/', '=', '%', ',', ':', 'é', '\u{feff}', '.'] {
        for at in [0, 5, good.find('.').expect("a dot") + 1, good.rfind('.').expect("a dot"), good.len()] {
            let mut bad = good.clone();
            bad.insert(at, byte);
            assert_eq!(fault(&bad), Some(CredentialFault::Malformed), "{byte:?} at {at}");
        }
    }
    let json = r#"{"payload":"e30","signatures":[{"protected":"e30","signature":"AA"}]}"#;
    assert_eq!(fault(json), Some(CredentialFault::Malformed));
    for text in ["", ".", "..", "...", "a", "a.b", "e30.e30", "e30.e30.", "....", ".e30.AA", &".".repeat(5000)] {
        assert_eq!(fault(text), Some(CredentialFault::Malformed), "{text:?}");
    }
}

#[test]
fn j9_there_is_one_spelling_of_each_part() {
    let good = token(&payload());
    let parts: Vec<_> = good.split('.').collect();
    // 32 bytes of signature are 43 characters, of which the last carries two bits that must be zero
    let (head, last) = parts[2].split_at(42);
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let value = alphabet.find(last).expect("a character of the alphabet");
    for stray in 1..4 {
        let character = alphabet.as_bytes()[value | stray] as char;
        let bad = format!("{}.{}.{head}{character}", parts[0], parts[1]);
        assert_eq!(fault(&bad), Some(CredentialFault::Malformed), "{stray}");
    }
    for padded in [format!("{good}="), format!("{}=.{}.{}", parts[0], parts[1], parts[2])] {
        assert_eq!(fault(&padded), Some(CredentialFault::Malformed));
    }
    // signed over the padded form, so that nothing but the form is wrong
    let padded = sign_text(&format!("{}.{}==", base64(HEADER), base64(payload())));
    assert_eq!(fault(&padded), Some(CredentialFault::Malformed));
    let stray = sign_text(&format!("{}.{}", base64(HEADER), "e31"));
    assert_eq!(fault(&stray), Some(CredentialFault::Malformed));
}

#[test]
fn j10_any_crit_is_refused() {
    for crit in
        [r#"["exp"]"#, "[]", r#"["alg"]"#, r#"["b64"]"#, r#"["x","x"]"#, r#"["absent"]"#, "null", "\"exp\"", "1", "{}"]
    {
        let token = sign(&format!(r#"{{"alg":"HS256","crit":{crit}}}"#), &payload());
        assert_eq!(fault(&token), Some(CredentialFault::Critical), "{crit}");
    }
    for extension in [r#""b64":false"#, r#""b64":true"#, r#""zip":"DEF""#] {
        let token = sign(&format!(r#"{{"alg":"HS256",{extension}}}"#), &payload());
        assert_eq!(fault(&token), Some(CredentialFault::Critical), "{extension}");
    }
}

#[test]
fn j11_duplicate_members_are_refused_on_every_level() {
    for header in [
        r#"{"alg":"HS256","alg":"HS256"}"#,
        r#"{"alg":"none","alg":"HS256"}"#,
        r#"{"alg":"HS256","\u0061lg":"none"}"#,
        r#"{"alg":"HS256","x":{"y":1,"y":1}}"#,
    ] {
        assert_eq!(fault(&sign(header, &payload())), Some(CredentialFault::Malformed), "{header}");
    }
    let start = payload();
    let start = start.strip_suffix('}').expect("an object");
    for more in [r#""sub":"eve""#, r#""s\u0075b":"eve""#, r#""x":[{"y":{"z":1,"z":2}}]"#, r#""exp":99999999999"#] {
        let claims = format!("{start},{more}}}");
        assert_eq!(fault(&token(&claims)), Some(CredentialFault::Malformed), "{more}");
    }
    assert_eq!(fault(&token(&format!(r#"{start},"x":{{"sub":1}},"y":{{"sub":1}}}}"#))), None);
}

#[test]
fn j12_keys_and_addresses_in_the_header_mean_nothing() {
    let theirs = r#"{"kty":"oct","k":"YXR0YWNrZXJhdHRhY2tlcmF0dGFja2VyYXR0YWNrZXI"}"#;
    let members = [
        format!(r#""jwk":{theirs}"#),
        r#""jku":"http://attacker.example/keys""#.to_owned(),
        r#""x5u":"http://attacker.example/cert""#.to_owned(),
        r#""x5c":["MIIB"]"#.to_owned(),
        r#""x5t":"AAAA","x5t#S256":"AAAA""#.to_owned(),
    ];
    for member in members {
        let header = format!(r#"{{"alg":"HS256",{member}}}"#);
        assert_eq!(fault(&sign(&header, &payload())), None, "ignored: {member}");
        let signed = format!("{}.{}", base64(&header), base64(payload()));
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"attackerattackerattackerattacker");
        let forged = format!("{signed}.{}", base64(hmac::sign(&key, signed.as_bytes())));
        assert_eq!(fault(&forged), Some(CredentialFault::Signature), "{member}");
    }
}

#[test]
fn j13_kid_is_opaque() {
    let named = crate::keys::VerificationKey::shared_secret(Algorithm::Hs256, &Secret::from(SECRET));
    let verifier = verifier(Issuer::new(ISSUER, ["api"], named.expect("a good secret").named("k1")));
    let long = "k".repeat(3000);
    for kid in ["../../etc/passwd", "' OR 1=1 --", "http://attacker.example", "", "k1 ", "K1", "k1\\u0000", &long] {
        let token = sign(&format!(r#"{{"alg":"HS256","kid":"{kid}"}}"#), &payload());
        assert_eq!(verify(&verifier, &token).err(), Some(CredentialFault::UnknownKey), "{kid}");
    }
    for kid in ["1", "null", "[\"k1\"]", "{}", "true"] {
        let token = sign(&format!(r#"{{"alg":"HS256","kid":{kid}}}"#), &payload());
        assert_eq!(verify(&verifier, &token).err(), Some(CredentialFault::Malformed), "{kid}");
    }
    let token = sign(r#"{"alg":"HS256","kid":"k1"}"#, &payload());
    assert_eq!(verify(&verifier, &token).err(), None);
}

#[test]
fn j20_header_and_claims_are_utf8_without_a_byte_order_mark() {
    let latin1 = [&b"{\"alg\":\"HS256\",\"x\":\""[..], &[0xe9], b"\"}"].concat();
    let utf16: Vec<u8> = HEADER.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let marked = format!("\u{feff}{HEADER}").into_bytes();
    for header in [latin1, utf16, marked] {
        let bad = sign_text(&format!("{}.{}", base64(header), base64(payload())));
        assert_eq!(fault(&bad), Some(CredentialFault::Malformed));
    }
    let start = payload();
    let start = start.strip_suffix('}').expect("an object");
    for tail in [&[0xe9][..], &[0xc0, 0xaf], &[0xed, 0xa0, 0x80], &[0xf5, 0x80, 0x80, 0x80]] {
        let claims = [start.as_bytes(), b",\"name\":\"", tail, b"\"}"].concat();
        let bad = sign_text(&format!("{}.{}", base64(HEADER), base64(claims)));
        assert_eq!(fault(&bad), Some(CredentialFault::Malformed), "{tail:?}");
    }
    assert_eq!(fault(&token(&format!("\u{feff}{}", payload()))), Some(CredentialFault::Malformed));
}

#[test]
fn j37_what_cannot_be_read_is_refused() {
    let deep = format!("{}1{}", "[".repeat(2500), "]".repeat(2500));
    let objects = format!("{}1{}", r#"{"a":"#.repeat(800), "}".repeat(800));
    let start = payload();
    let start = start.strip_suffix('}').expect("an object");
    for claims in [
        "",
        "null",
        "[]",
        "\"text\"",
        "1",
        "{",
        "}",
        "{}}",
        "{} {}",
        "{}x",
        "{}\0",
        &deep,
        &objects,
        &format!(r#"{start},"x":{deep}}}"#),
        &format!(r#"{start},"x":NaN}}"#),
        &format!(r#"{start},"x":Infinity}}"#),
        &format!(r#"{start},"x":01}}"#),
        &format!(r#"{start},"x":1e999}}"#),
        &format!(r#"{start},"x":"\ud800"}}"#),
        &format!(r#"{start},"x":"{}"}}"#, '\u{1}'),
        &format!("{start},}}"),
        &format!("{start}}}x"),
    ] {
        assert_eq!(fault(&token(claims)), Some(CredentialFault::Malformed), "{claims:.80}");
    }
}

#[test]
fn j40_long_tokens_are_refused_before_they_are_decoded() {
    let start = payload();
    let start = start.strip_suffix('}').expect("an object");
    let of_length = |length: usize| {
        let fill = |count: usize| token(&format!(r#"{start},"x":"{}"}}"#, "x".repeat(count)));
        (0..length).rev().map(fill).find(|token| token.len() <= length).expect("a token of that length")
    };
    let longest = of_length(8192);
    assert!(longest.len() > 8188, "{}", longest.len());
    assert_eq!(fault(&longest), None);
    let padding = "!".repeat(8193 - longest.len());
    assert_eq!(fault(&format!("{longest}{padding}")), Some(CredentialFault::TooLong));
    assert_eq!(fault(&".".repeat(10_000)), Some(CredentialFault::TooLong));

    let small = verifier(issuer()).max_length(64);
    assert_eq!(verify(&small, &token(&payload())).err(), Some(CredentialFault::TooLong));
}

#[test]
fn every_byte_of_a_token_is_covered_by_the_signature() {
    let good = token(&payload());
    let verifier = verifier(issuer());
    for at in 0..good.len() {
        for flip in [1, 2, 4, 8, 0x20] {
            let mut bytes = good.clone().into_bytes();
            bytes[at] ^= flip;
            let Ok(bad) = String::from_utf8(bytes) else { continue };
            assert!(verify(&verifier, &bad).is_err(), "byte {at} flipped by {flip}");
        }
        assert!(verify(&verifier, &good[..at]).is_err(), "cut at {at}");
    }
}

//! Published vectors, and what distinguishes one algorithm from another.

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;
use crate::keys::VerificationKey;

fn keys(jwk: &str) -> KeySet {
    VerificationKey::from_jwk(jwk).expect("a good key").into()
}

fn allowing(jwk: &str, algorithm: Algorithm) -> KeySet {
    keys(jwk).allowing(&[algorithm]).expect("a key that serves the algorithm")
}

/// The signature is good, and neither any other bit of it nor any other text is.
fn assert_vector(token: &str, keys: &KeySet, payload: &str, algorithm: Algorithm) {
    let verified = verify(token, keys).expect("the published signature");
    assert_eq!((str::from_utf8(&verified.bytes), verified.algorithm), (Ok(payload), algorithm));
    for at in [5, token.find('.').expect("a dot") + 4, token.rfind('.').expect("a dot") + 4] {
        let mut bytes = token.as_bytes().to_vec();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        assert!(verify(bytes, keys).is_err(), "byte {at}");
    }
}

/// The payload of RFC 7515 appendix A.
const JOE: &str = "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";

#[test]
fn rfc7515_a1_hs256() {
    let key = r#"{"kty":"oct",
        "k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}"#;
    let token = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9\
        .eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ\
        .dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    assert_vector(token, &keys(key), JOE, Algorithm::Hs256);
}

const A2_KEY: &str = r#"{"kty":"RSA","e":"AQAB",
    "n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"}"#;
const A2_TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9\
    .eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ\
    .cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";

#[test]
fn rfc7515_a2_rs256() {
    assert_vector(A2_TOKEN, &keys(A2_KEY), JOE, Algorithm::Rs256);
}

const A3_KEY: &str = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;
const A3_SIGNED: &str = "eyJhbGciOiJFUzI1NiJ9\
    .eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
const A3_SIGNATURE: &str = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

#[test]
fn rfc7515_a3_es256() {
    assert_vector(&format!("{A3_SIGNED}.{A3_SIGNATURE}"), &keys(A3_KEY), JOE, Algorithm::Es256);
}

/// The order of the group of P-256 (SEC 2 section 2.4.2).
const P256_ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7,
    0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

#[test]
fn rfc8037_a4_eddsa() {
    let key = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    let token = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.\
        hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    assert_vector(token, &keys(key), "Example of Ed25519 signing", Algorithm::EdDsa);
}

/// The payload, RSA key and signatures of RFC 7520 section 4.
const FRODO: &str = "It’s a dangerous business, Frodo, going out your door. You step onto the road, and if you don't \
    keep your feet, there’s no knowing where you might be swept off to.";
const FRODO_ENCODED: &str = "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4";
const BILBO: &str = r#"{"kty":"RSA","kid":"bilbo.baggins@hobbiton.example","use":"sig","e":"AQAB",
    "n":"n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw"}"#;

#[test]
fn rfc7520_4_1_rs256() {
    let signature = "MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996ivp83xuglII7PNDi84wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5aAE6x8wW1Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de3xyIrDaLGdjluPxUAhb6L2aXic1U12podGU0KLUQSE_oI-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_fcIe8u9ipH84ogoree7vjbU5y18kDquDg";
    let header = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9";
    let token = format!("{header}.{FRODO_ENCODED}.{signature}");
    assert_vector(&token, &keys(BILBO), FRODO, Algorithm::Rs256);
    assert_eq!(verify(&token, &keys(BILBO)).map(|it| it.key_id), Ok(Some("bilbo.baggins@hobbiton.example".into())));
}

#[test]
fn rfc7520_4_2_ps384() {
    let signature = "cu22eBqkYDKgIlTpzDXGvaFfz6WGoz7fUDcfT0kkOy42miAh2qyBzk1xEsnk2IpN6-tPid6VrklHkqsGqDqHCdP6O8TTB5dDDItllVo6_1OLPpcbUrhiUSMxbbXUvdvWXzg-UD8biiReQFlfz28zGWVsdiNAUf8ZnyPEgVFn442ZdNqiVJRmBqrYRXe8P_ijQ7p8Vdz0TTrxUeT3lm8d9shnr2lfJT8ImUjvAA2Xez2Mlp8cBE5awDzT0qI0n6uiP1aCN_2_jLAeQTlqRHtfa64QQSUmFAAjVKPbByi7xho0uTOcbH510a6GYmJUAfmWjwZ6oD4ifKo8DYM-X72Eaw";
    let header = "eyJhbGciOiJQUzM4NCIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9";
    let token = format!("{header}.{FRODO_ENCODED}.{signature}");
    assert_vector(&token, &allowing(BILBO, Algorithm::Ps384), FRODO, Algorithm::Ps384);
    assert_eq!(verify(&token, &keys(BILBO)), Err(JwsFault::Algorithm), "RS256 unless the configuration says otherwise");
}

#[test]
fn rfc7520_4_4_hs256() {
    let key = r#"{"kty":"oct","kid":"018c0ae5-4d9b-471b-bfd6-eef314bc7037","use":"sig","alg":"HS256",
        "k":"hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg"}"#;
    let header = "eyJhbGciOiJIUzI1NiIsImtpZCI6IjAxOGMwYWU1LTRkOWItNDcxYi1iZmQ2LWVlZjMxNGJjNzAzNyJ9";
    let token = format!("{header}.{FRODO_ENCODED}.s0h6KThzkfBBBkLspW1h84VsJZFTsPPqMDA7g1Md7p0");
    assert_vector(&token, &keys(key), FRODO, Algorithm::Hs256);
}

#[test]
fn rfc7515_a5_an_unsecured_token_is_refused() {
    let token = "eyJhbGciOiJub25lIn0\
        .eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.";
    assert_eq!(verify(token, &keys(A3_KEY)), Err(JwsFault::Algorithm));
}

#[test]
fn j4_a_key_of_another_algorithm_is_not_tried() {
    let pinned = A2_KEY.replace("\"e\"", "\"alg\":\"RS384\",\"e\"");
    assert_eq!(verify(A2_TOKEN, &keys(&pinned)), Err(JwsFault::Algorithm));
    assert!(keys(&pinned).allowing(&[Algorithm::Rs256]).is_none(), "an allow-list does not widen what the key says");
    assert_eq!(verify(A2_TOKEN, &allowing(A2_KEY, Algorithm::Ps256)), Err(JwsFault::Algorithm));
    assert_eq!(verify(A2_TOKEN, &keys(A3_KEY)), Err(JwsFault::Algorithm));
}

#[test]
fn j6_ed25519_is_another_name_of_eddsa() {
    let pair = Ed25519KeyPair::generate().expect("a key");
    let x = URL_SAFE_NO_PAD.encode(pair.public_key());
    for named in ["EdDSA", "Ed25519"] {
        let keys = keys(&format!(r#"{{"kty":"OKP","crv":"Ed25519","alg":"{named}","x":"{x}"}}"#));
        for alg in ["EdDSA", "Ed25519"] {
            let signed = format!("{}.e30", URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"{alg}"}}"#)));
            let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(pair.sign(signed.as_bytes())));
            assert_eq!(verify(&token, &keys).map(|it| it.algorithm), Ok(Algorithm::EdDsa), "{named} {alg}");
        }
    }
}

#[test]
fn j16_ecdsa_signatures_have_a_fixed_length() {
    let raw = URL_SAFE_NO_PAD.decode(A3_SIGNATURE).expect("base64url");
    let (r, s) = raw.split_at(32);
    let der = [&[0x30, 0x45, 0x02, 0x20][..], r, &[0x02, 0x21, 0x00], s].concat();
    let zero = [0; 32];
    let longer = [&[0], r, &[0], s].concat();
    for bad in [
        der,
        [zero, zero].concat(),
        [r, &zero].concat(),
        [&zero, s].concat(),
        [r, &P256_ORDER].concat(),
        [&P256_ORDER[..], s].concat(),
        [P256_ORDER, P256_ORDER].concat(),
        longer,
        raw[..63].to_vec(),
        [&raw[..], &[0]].concat(),
        Vec::new(),
        [s, r].concat(),
    ] {
        let token = format!("{A3_SIGNED}.{}", URL_SAFE_NO_PAD.encode(&bad));
        assert_eq!(verify(&token, &keys(A3_KEY)), Err(JwsFault::Signature), "{bad:02x?}");
    }
}

#[test]
fn an_ecdsa_signature_has_a_twin_so_texts_do_not_identify_tokens() {
    let mut raw = URL_SAFE_NO_PAD.decode(A3_SIGNATURE).expect("base64url");
    let mut borrow = 0;
    for (digit, order) in raw[32..].iter_mut().zip(P256_ORDER).rev() {
        let difference = i16::from(order) - i16::from(*digit) - borrow;
        borrow = i16::from(difference < 0);
        *digit = u8::try_from(difference & 0xff).expect("a byte");
    }
    let twin = format!("{A3_SIGNED}.{}", URL_SAFE_NO_PAD.encode(&raw));
    assert_eq!(verify(twin, &keys(A3_KEY)).map(|it| it.bytes), Ok(JOE.as_bytes().to_vec()));
}

#[test]
fn a_payload_may_be_anything_even_nothing() {
    let secret = [7; 32];
    let keys = KeySet::shared_secret(Algorithm::Hs256, &crate::Secret::new(secret.to_vec())).expect("a good secret");
    for payload in [&b""[..], b"\xff\x00", &[b'x'; 5000]] {
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256"}"#), URL_SAFE_NO_PAD.encode(payload));
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), signed.as_bytes());
        let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag));
        assert_eq!(verify(&token, &keys).map(|it| it.bytes), Ok(payload.to_vec()));
    }
    assert_eq!(verify([0xff, b'.', b'.'], &keys), Err(JwsFault::Malformed));
    assert_eq!(verify(vec![b'.'; 8193], &keys), Err(JwsFault::TooLong));
}

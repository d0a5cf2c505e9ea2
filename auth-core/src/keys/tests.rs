//! Which keys are taken, and what they verify.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::*;
use crate::Secret;
use crate::error::ConfigError;
use crate::verify::jws::{self, JwsFault};

const RSA: &str = "-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAofgWCuLjybRlzo0tZWJj
NiuSfb4p4fAkd/wWJcyQoTbji9k0l8W26mPddxHmfHQp+Vaw+4qPCJrcS2mJPMEz
P1Pt0Bm4d4QlL+yRT+SFd2lZS+pCgNMsD1W/YpRPEwOWvG6b32690r2jZ47soMZo
9wGzjb/7OMg0LOL+bSf63kpaSHSXndS5z5rexMdbBYUsLA9e+KXBdQOS+UTo7WTB
EMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6/I5IhlJH7aGhyxX
FvUK+DWNmoudF8NAco9/h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXp
oQIDAQAB
-----END PUBLIC KEY-----";
const RSA_PKCS1: &str = "-----BEGIN RSA PUBLIC KEY-----
MIIBCgKCAQEAofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd/wWJcyQoTbji9k0l8W2
6mPddxHmfHQp+Vaw+4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL+yRT+SFd2lZS+pCgNMs
D1W/YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb/7OMg0LOL+bSf63kpaSHSXndS5
z5rexMdbBYUsLA9e+KXBdQOS+UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxv
b3qCo5ZwKh9kG4LT6/I5IhlJH7aGhyxXFvUK+DWNmoudF8NAco9/h9iaGNj8q2et
hFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQIDAQAB
-----END RSA PUBLIC KEY-----";
const P256: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV7
6e8Tus9uPHvRVEXH8UTNG72bfocs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==
-----END PUBLIC KEY-----";
const P384: &str = "-----BEGIN PUBLIC KEY-----
MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEU93A0akWyW69kDvk8a6pjTLDahf0N+L9
J3kePEpRNl5d+5tmyOPD7AXKpPzASbk4K+ErFIRgZKAOjG82578+FMOMiS3rN0MD
haI+ncRvlijwPoHjJecDaQXV9N6jow3c
-----END PUBLIC KEY-----";
const P384_CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----
MIIB3jCCAWSgAwIBAgIUCqvEmtvknO8DdSBdMeJh5CKvJdAwCgYIKoZIzj0EAwIw
JjEkMCIGA1UEAwwbYW4gZXhhbXBsZSBvZiBhIGNlcnRpZmljYXRlMB4XDTI2MTEy
MjAyMzk1N1oXDTM2MTExOTAyMzk1N1owJjEkMCIGA1UEAwwbYW4gZXhhbXBsZSBv
ZiBhIGNlcnRpZmljYXRlMHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEU93A0akWyW69
kDvk8a6pjTLDahf0N+L9J3kePEpRNl5d+5tmyOPD7AXKpPzASbk4K+ErFIRgZKAO
jG82578+FMOMiS3rN0MDhaI+ncRvlijwPoHjJecDaQXV9N6jow3co1MwUTAdBgNV
HQ4EFgQU/PG8be/mgHiIzBkwV3HzAeLd5jcwHwYDVR0jBBgwFoAU/PG8be/mgHiI
zBkwV3HzAeLd5jcwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNoADBlAjB5
Q1gEP3qWMJ1wpFF64oJIdk+qPxv8Tt91/a9mqPh7OpCv2jJmVw/mSliur5nS9GMC
MQD5bEU+wwU+DId6/KXE6cZON+YHh8k/o3qC/gzqeY3hDY+b5O+nyZaQl29EfcgL
QFI=
-----END CERTIFICATE-----";
const ED25519: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
-----END PUBLIC KEY-----";
const RSA_1024: &str = "-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDHnZDbkwbEIn0qeTMquKCqmWG7
3XQCGdp1cfpdQNvDkMoJ6p/HGPJFbLHTwbww+TRuzqg9cyHWLZ1VY9JTeiBzV9O7
4Ep+g6B/YnJ/xgtdn4RsBATe8CqWCl22+CUIvAvc0bpxrJr3DOy9NZzXJaZh1jZO
2XD6XR1XzhzcyQLtwwIDAQAB
-----END PUBLIC KEY-----";
const SECP256K1: &str = "-----BEGIN PUBLIC KEY-----
MFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAECx+PEPsGddP8/PlqfRm5to/x7IzdBBUL
/vTWn9EoDlACQX6CTzDSBhPXy3H2BtPkEILMOIuGZtyI3+d18LYYAA==
-----END PUBLIC KEY-----";

/// RFC 7515 appendix A.2 and A.3, RFC 8037 appendix A.4, and one of ES384 made with OpenSSL.
const SIGNED_BY_RSA: &str = "eyJhbGciOiJSUzI1NiJ9\
    .eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ\
    .cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
const SIGNED_BY_P256: &str = "eyJhbGciOiJFUzI1NiJ9\
    .eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ\
    .DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
const SIGNED_BY_P384: &str = "eyJhbGciOiJFUzM4NCJ9.aGVsbG8.\
    oNt8pYAT6-g0MXbLv6G9DPIt59QMDrb6WDVvMxz6BkGOAstW4kgkTnfWBuZIwPIgze0XDVtsJIXcuRw1H3r6PbxD5DgkZbtz3gYMiRaJfvnYzySnNBk17FndMh7s9GbH";
const SIGNED_BY_ED25519: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.\
    hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

fn refusal<T>(result: Result<T, ConfigError>) -> String {
    result.err().expect("a refusal").to_string()
}

#[test]
fn pem_keys_verify_what_they_signed() {
    for (pem, token) in [
        (RSA, SIGNED_BY_RSA),
        (RSA_PKCS1, SIGNED_BY_RSA),
        (P256, SIGNED_BY_P256),
        (P384, SIGNED_BY_P384),
        (P384_CERTIFICATE, SIGNED_BY_P384),
        (ED25519, SIGNED_BY_ED25519),
    ] {
        let keys = KeySet::from_pem(pem).expect("a good key");
        assert!(jws::verify(token, &keys).is_ok(), "{pem}");
        let commented = format!("Subject: someone\r\n{}\n\n", pem.replace('\n', "\r\n"));
        assert!(VerificationKey::from_pem(&commented).is_ok(), "{commented}");
    }
}

#[test]
fn several_pem_keys_make_a_set() {
    let all = [RSA, P256, P384, ED25519].join("\n");
    let keys = KeySet::from_pem(&all).expect("good keys");
    assert_eq!(keys.len(), 4);
    for token in [SIGNED_BY_RSA, SIGNED_BY_P256, SIGNED_BY_P384, SIGNED_BY_ED25519] {
        assert!(jws::verify(token, &keys).is_ok(), "{token}");
    }
    assert!(refusal(VerificationKey::from_pem(&all)).contains("several"));
    assert!(refusal(KeySet::from_pem(&[P256; 5].join("\n"))).contains("ids"));
}

#[test]
fn pem_that_is_no_good_public_key_is_refused_with_the_reason() {
    for (pem, reason) in [
        ("", "no PEM block"),
        ("just text", "no PEM block"),
        ("-----BEGIN PRIVATE KEY-----\nMC4=\n-----END PRIVATE KEY-----", "private key"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMC4=\n-----END RSA PRIVATE KEY-----", "private key"),
        ("-----BEGIN ENCRYPTED PRIVATE KEY-----\nMC4=\n-----END ENCRYPTED PRIVATE KEY-----", "private key"),
        ("-----BEGIN PUBLIC KEY-----\nMC4=", "missing"),
        ("-----BEGIN PUBLIC KEY-----\nMC4=\n-----END RSA PUBLIC KEY-----", "missing"),
        ("-----BEGIN PUBLIC KEY-----\nM*4=\n-----END PUBLIC KEY-----", "base64"),
        ("-----BEGIN PUBLIC KEY-----\nMC4=\n-----END PUBLIC KEY-----", "DER"),
        ("-----BEGIN PGP PUBLIC KEY BLOCK-----\nMC4=\n-----END PGP PUBLIC KEY BLOCK-----", "label"),
        (RSA_1024, "2048"),
        (SECP256K1, "curve"),
        (&RSA.replace("PUBLIC KEY", "CERTIFICATE"), "DER"),
        (&P256.replace("Ef83OJ3D2", "Ef83OJ3D3"), "not valid"),
    ] {
        let message = refusal(KeySet::from_pem(pem));
        assert!(message.contains(reason), "{message} of {pem}");
    }
}

#[test]
fn j3_a_public_key_is_never_a_shared_secret() {
    let der = STANDARD.decode(RSA.lines().filter(|line| !line.starts_with('-')).collect::<String>()).expect("base64");
    let body = RSA.lines().filter(|line| !line.starts_with('-')).collect::<Vec<_>>().join("\n");
    let jwk = r#"{"kty":"RSA","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQ"}"#;
    for text in
        [RSA, RSA_PKCS1, P256, P384_CERTIFICATE, ED25519, jwk, &body, "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ=="]
    {
        for before in ["", "\n", "\u{feff}", " \t\r\n", "\0", "\u{feff}\n\n"] {
            let secret = Secret::from(format!("{before}{text}"));
            let message = refusal(VerificationKey::shared_secret(Algorithm::Hs256, &secret));
            assert!(message.contains("anybody"), "{message} of {before:?}{text}");
        }
    }
    let message = refusal(VerificationKey::shared_secret(Algorithm::Hs256, &Secret::new(der)));
    assert!(message.contains("DER"), "{message}");
    let as_secret = format!(r#"{{"kty":"oct","k":"{}"}}"#, base64_url(RSA));
    assert!(VerificationKey::from_jwk(&as_secret).is_err(), "nor by way of a JWK");
    let keys = KeySet::from_pem(RSA).expect("a good key");
    for alg in ["HS256", "HS384", "HS512"] {
        let token = format!("{}.e30.AAAA", base64_url(format!(r#"{{"alg":"{alg}"}}"#)));
        assert_eq!(jws::verify(token, &keys), Err(JwsFault::Algorithm), "{alg}");
    }
}

fn base64_url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[test]
fn j14_shared_secrets_are_at_least_as_long_as_the_hash() {
    for (algorithm, least) in [(Algorithm::Hs256, 32), (Algorithm::Hs384, 48), (Algorithm::Hs512, 64)] {
        assert!(VerificationKey::shared_secret(algorithm, &Secret::new(vec![7; least])).is_ok());
        let message = refusal(VerificationKey::shared_secret(algorithm, &Secret::new(vec![7; least - 1])));
        assert!(message.contains(&least.to_string()), "{message}");
    }
    for algorithm in [Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa] {
        assert!(VerificationKey::shared_secret(algorithm, &Secret::new(vec![7; 64])).is_err());
    }
    let short = VerificationKey::from_jwk(r#"{"kty":"oct","k":"AAAA"}"#);
    assert!(refusal(short).contains("too short"));
    let too_short_for_alg = format!(r#"{{"kty":"oct","alg":"HS512","k":"{}"}}"#, base64_url("s".repeat(63)));
    assert!(VerificationKey::from_jwk(&too_short_for_alg).is_err());
}

#[test]
fn random_secrets_are_not_taken_for_keys() {
    let mut state = 1_u64;
    for first in 0..=255 {
        for length in [32, 44, 64, 300] {
            let random = |_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                state.to_be_bytes()[0]
            };
            let mut secret: Vec<u8> = (0..length).map(random).collect();
            secret[0] = first;
            assert!(VerificationKey::shared_secret(Algorithm::Hs256, &Secret::new(secret)).is_ok());
        }
    }
}

const A3: &str = r#""crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0""#;
const A2_N: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";

fn rsa(n: &str, e: &str) -> String {
    format!(r#"{{"kty":"RSA","n":"{n}","e":"{e}"}}"#)
}

#[test]
fn j15_weak_rsa_keys_are_refused() {
    let bits = |bits: usize| {
        let mut n = vec![0xff; bits.div_ceil(8)];
        n[0] >>= n.len() * 8 - bits;
        base64_url(n)
    };
    for (n, e, reason) in [
        (&*bits(1024), "AQAB", "2048"),
        (&bits(2047), "AQAB", "2048"),
        (&bits(8193), "AQAB", "8192"),
        (A2_N, "AQ", "exponent"),
        (A2_N, "Ag", "exponent"),
        (A2_N, "AA", "exponent"),
        (A2_N, "", "exponent"),
        (A2_N, "AQAA", "exponent"),
        ("", "AQAB", "2048"),
    ] {
        let message = refusal(VerificationKey::from_jwk(&rsa(n, e)));
        assert!(message.contains(reason), "{message} of e {e}");
    }
    let even = format!("{}g", A2_N.strip_suffix('Q').expect("the last character"));
    assert!(VerificationKey::from_jwk(&rsa(&even, "AQAB")).is_err());
    assert!(VerificationKey::from_jwk(&rsa(A2_N, "Aw")).is_ok());
    let leading_zero = rsa(A2_N, "AAEAAQ");
    let keys = KeySet::from(VerificationKey::from_jwk(&leading_zero).expect("the same number"));
    assert!(jws::verify(SIGNED_BY_RSA, &keys).is_ok());
}

#[test]
fn j17_keys_for_other_purposes_are_refused() {
    for (members, good) in [
        (r#""use":"sig""#, true),
        (r#""use":"enc""#, false),
        (r#""use":"SIG""#, false),
        (r#""use":1"#, false),
        (r#""key_ops":["verify"]"#, true),
        (r#""key_ops":["sign","verify"]"#, true),
        (r#""key_ops":["sign"]"#, false),
        (r#""key_ops":[]"#, false),
        (r#""key_ops":"verify""#, false),
        (r#""use":"sig","key_ops":["encrypt"]"#, false),
        (r#""alg":"ES256""#, true),
        (r#""alg":"ES384""#, false),
        (r#""alg":"ES256K""#, false),
        (r#""alg":"RS256""#, false),
        (r#""alg":"HS256""#, false),
        (r#""alg":"none""#, false),
        (r#""alg":null"#, false),
        (r#""alg":"ECDH-ES""#, false),
        (r#""d":"AAAA""#, false),
        (r#""kid":1"#, false),
        (r#""kid":"a","kid":"b""#, false),
        (r#""x5c":["MIIB"],"x5t":"AA","custom":{"a":1}"#, true),
    ] {
        let jwk = format!(r#"{{"kty":"EC",{A3},{members}}}"#);
        assert_eq!(VerificationKey::from_jwk(&jwk).is_ok(), good, "{members}");
    }
}

#[test]
fn j18_broken_keys_are_skipped_and_the_rest_works() {
    let good = format!(r#"{{"kty":"EC","kid":"good",{A3}}}"#);
    let bad = [
        "null",
        "1",
        "[]",
        "{}",
        r#"{"kty":"quantum","kid":"new"}"#,
        r#"{"kty":1}"#,
        r#"{"kty":"EC"}"#,
        r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"AAAA"}"#,
        r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"}"#,
        r#"{"kty":"EC","crv":"P-521","x":"AAAA","y":"AAAA"}"#,
        r#"{"kty":"EC","crv":"secp256k1","x":"AAAA","y":"AAAA"}"#,
        r#"{"kty":"OKP","crv":"Ed448","x":"AAAA"}"#,
        r#"{"kty":"OKP","crv":"X25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
        r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo="}"#,
        r#"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#,
        r#"{"kty":"oct","k":"c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"}"#,
        r#"{"kty":"EC","kty":"EC"}"#,
    ];
    for bad in bad {
        for set in [format!(r#"{{"keys":[{bad},{good}]}}"#), format!(r#"{{"keys":[{good},{bad}],"more":[]}}"#)] {
            let keys = KeySet::from_jwks(&set).expect("one good key");
            assert_eq!((keys.len(), keys.skipped().len()), (1, 1), "{set}");
            assert!(jws::verify(SIGNED_BY_P256, &keys).is_ok());
        }
    }
    let all = format!(r#"{{"keys":[{},{good}]}}"#, bad.join(","));
    let keys = KeySet::from_jwks(&all).expect("one good key");
    assert_eq!((keys.len(), keys.skipped().len()), (1, bad.len()));
    assert_eq!(keys.skipped()[4].to_string(), r#"key 5 (kid "new"): its kty is not supported"#);
}

#[test]
fn j18_a_set_without_a_usable_key_is_refused() {
    for (set, reason) in [
        (r#"{"keys":[]}"#, "no key"),
        (r#"{"keys":[{"kty":"quantum"}]}"#, "kty is not supported"),
        ("{}", "not a JWK Set"),
        ("[]", "not a JWK Set"),
        (r#"{"keys":{}}"#, "not a JWK Set"),
        (r#"{"keys":[}"#, "not a JWK Set"),
        ("<html></html>", "not a JWK Set"),
        ("", "not a JWK Set"),
        (&format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)), "not a JWK Set"),
        (&" ".repeat(512 * 1024 + 1), "512 KiB"),
    ] {
        let message = refusal(KeySet::from_jwks(set));
        assert!(message.contains(reason), "{message}");
    }
}

#[test]
fn j19_keys_that_share_a_kid_are_all_skipped() {
    let first = format!(r#"{{"kty":"EC","kid":"a",{A3}}}"#);
    let second = r#"{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    let third = rsa(A2_N, "AQAB").replace("\"kty\"", "\"kid\":\"b\",\"kty\"");
    let keys = KeySet::from_jwks(&format!(r#"{{"keys":[{first},{second},{third}]}}"#)).expect("one good key");
    assert_eq!(keys.iter().map(VerificationKey::id).collect::<Vec<_>>(), [Some("b")]);
    assert_eq!(keys.skipped().len(), 2);
    assert_eq!(jws::verify(SIGNED_BY_P256, &keys), Err(JwsFault::Algorithm));
    let unusable = first.replace("\"kty\"", "\"use\":\"enc\",\"kty\"");
    let keys = KeySet::from_jwks(&format!(r#"{{"keys":[{unusable},{second}]}}"#)).expect("one good key");
    assert_eq!(keys.len(), 1, "a key that is not used anyway makes no other ambiguous");
    let twice = VerificationKey::from_pem(P256).expect("a good key").named("a");
    assert!(refusal(KeySet::new([twice.clone(), twice])).contains("same kid"));
}

#[test]
fn j19_shared_secrets_do_not_mix_with_public_keys() {
    let secret = r#"{"kty":"oct","kid":"s","k":"c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"}"#;
    let public = format!(r#"{{"kty":"EC","kid":"p",{A3}}}"#);
    let mixed = KeySet::from_jwks(&format!(r#"{{"keys":[{secret},{public}]}}"#)).expect("one good key");
    assert_eq!(mixed.iter().map(VerificationKey::id).collect::<Vec<_>>(), [Some("p")]);
    let alone = KeySet::from_jwks(&format!(r#"{{"keys":[{secret}]}}"#)).expect("one good key");
    assert_eq!(alone.len(), 1);
    let keys = [VerificationKey::from_jwk(secret), VerificationKey::from_jwk(&public)];
    assert!(refusal(KeySet::new(keys.map(|key| key.expect("a good key")))).contains("shared secret"));
    assert!(refusal(KeySet::new([])).contains("no key"));
}

#[test]
fn a_token_without_kid_is_tried_on_a_few_keys_only() {
    let key = |kid: usize| format!(r#"{{"kty":"EC","kid":"{kid}",{A3}}}"#);
    for (count, verdict) in [(1, None), (4, None), (5, Some(JwsFault::UnknownKey))] {
        let set = format!(r#"{{"keys":[{}]}}"#, (0..count).map(key).collect::<Vec<_>>().join(","));
        let keys = KeySet::from_jwks(&set).expect("good keys");
        assert_eq!(jws::verify(SIGNED_BY_P256, &keys).err(), verdict, "{count}");
    }
}

#[test]
fn a_kid_finds_its_key_among_many() {
    let key = |kid: usize| format!(r#"{{"kty":"EC","kid":"{kid}",{A3}}}"#);
    let set = format!(r#"{{"keys":[{}]}}"#, (0..300).map(key).collect::<Vec<_>>().join(","));
    let keys = KeySet::from_jwks(&set).expect("good keys");
    for kid in 0..300 {
        assert!(keys.candidates(Some(&kid.to_string()), Algorithm::Es256).is_ok());
    }
    for kid in ["300", "", "00", "-1"] {
        assert_eq!(keys.candidates(Some(kid), Algorithm::Es256).err(), Some(KeyFault::Unknown), "{kid}");
    }
    assert_eq!(keys.candidates(Some("7"), Algorithm::Es384).err(), Some(KeyFault::Algorithm));
}

#[test]
fn names_of_algorithms_are_read_and_written() {
    for algorithm in Algorithm::ALL {
        assert_eq!(algorithm.to_string().parse(), Ok(algorithm));
    }
    assert_eq!("Ed25519".parse(), Ok(Algorithm::EdDsa));
    for name in ["none", "hs256", "RS1", "ES256K", "ES512", "", "HS256\n"] {
        let message = refusal(name.parse::<Algorithm>());
        assert!(message.contains("RS256") && !message.contains('\n'), "{message}");
    }
}

#[test]
fn s14_keys_print_nothing_of_themselves() {
    let secret = Secret::from("a secret of our tests that has 64 bytes, enough for all of them!");
    let key = VerificationKey::shared_secret(Algorithm::Hs256, &secret).expect("a good secret").named("k");
    let printed = format!("{key:?} {:?}", KeySet::from(key.clone()));
    assert!(printed.contains("Hs256") && !printed.contains("secret of"), "{printed}");
}

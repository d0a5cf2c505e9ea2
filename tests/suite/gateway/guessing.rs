//! Guessing against both gateways: the standard profile with the one line switched on.

use serde_json::Value;

use super::process::BINARIES;
use super::{Answer, Gateway};

/// Enough for the budget of the profile, 30 a minute, and for what comes back meanwhile.
const MANY: usize = 400;

#[tokio::test]
async fn l23_the_line_of_the_standard_profile_stops_guesses_and_nobody_else() {
    let profile = include_str!("../../../examples/gateway/profiles/standard.toml");
    let switched_on = profile.replace("# failed_attempts = ", "failed_attempts = ");
    assert_ne!(profile, switched_on);
    for binary in BINARIES {
        eprintln!("--- {binary}");
        let gateway = Gateway::start(binary, &switched_on).await;
        let text = std::fs::read_to_string(gateway.dir.path().join("data/demo.json")).unwrap();
        let demo: Value = serde_json::from_str(&text).unwrap();
        let key = demo["api_keys"][0]["key"].as_str().unwrap();
        let stranger = guess(key);
        let mut connection = gateway.connect().await;
        let mut ask = async |key: &str, spoof: usize| -> Answer {
            let forwarded =
                format!("X-Forwarded-For: 203.0.113.{}\nForwarded: for=203.0.113.{}", spoof % 250, spoof % 199);
            connection.ask(&format!("GET /v1/x HTTP/1.1\nHost: a\nX-API-Key: {key}\n{forwarded}\n\n")).await
        };

        let mut statuses = Vec::new();
        for number in 0..MANY {
            statuses.push(ask(&stranger, number).await.status());
        }
        assert!(statuses[..30].iter().all(|status| *status == 401), "{statuses:?}");
        let stopped = statuses.iter().filter(|status| **status == 429).count();
        assert!(stopped > MANY / 2, "{statuses:?}");
        let refused = loop {
            // the trickle lets one through now and then
            let answer = ask(&stranger, 0).await;
            if answer.status() == 429 {
                break answer;
            }
        };
        assert_eq!(refused.field("retry-after"), Some("1"));
        let body = refused.json();
        assert_eq!(
            (&body["code"], &body["violated-policies"][0]),
            (&"rate_limit_exceeded".into(), &"failed-attempts".into())
        );

        for number in 0..20 {
            assert_eq!(ask(key, number).await.status(), 200, "a good key behind the same address");
            let typo = format!("{key}x");
            assert_eq!(ask(&typo, number).await.status(), 401, "a typing error is refused for free");
        }
    }
}

/// A key with a good checksum that nobody has: another one that the same format could have made.
fn guess(key: &str) -> String {
    let format = auth_core::api_key::KeyFormat::new("gw", ["live", "test"]).unwrap();
    assert!(key.starts_with("gw_live_"));
    format.mint(Some("live")).unwrap().expose_text().unwrap().to_owned()
}

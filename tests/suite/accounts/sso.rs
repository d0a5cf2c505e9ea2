//! What a provider says of a person, and what that comes to: with a provider that says what a test wants it to.

use std::sync::{Arc, Mutex};

use auth_core::fetch::{Fetch, FetchError, FetchRequest, Fetched};
use auth_core::issue::{
    AccountError, AccountParts, CodeLogin, Provisioning, Rotation, Seal, SingleSignOn, SsoFault, SsoSettings,
    Strangers, Tokens, UserinfoRule,
};
use auth_core::store::{MemoryLinkStore, MemoryOnceStore};
use auth_core::{Pending, Secret, SimulatedClock};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use super::service::Service;
use crate::corpus::folder;

const PROVIDER: &str = "https://idp.example";
const BACK: &str = "https://app.example/sso";
const ACCESS_TOKEN: &str = "the provider's own";

/// A provider that says of whoever comes what it was told to say.
#[derive(Clone, Default)]
pub(super) struct Provider(Arc<Mutex<Said>>);

#[derive(Default)]
struct Said {
    /// The claims of the next ID token, besides those that every one has.
    id_token: Value,
    /// Status and content of the userinfo; none where there is no such endpoint.
    userinfo: Option<(u16, String)>,
    nonce: String,
    /// How often the userinfo was asked.
    asked: usize,
}

impl Provider {
    pub(super) fn says(&self, id_token: Value, userinfo: &Value) {
        let mut said = self.0.lock().unwrap();
        said.id_token = id_token;
        said.userinfo = userinfo.is_object().then(|| (200, userinfo.to_string()));
    }

    fn asked(&self) -> usize {
        self.0.lock().unwrap().asked
    }
}

impl Fetch for Provider {
    fn fetch(&self, request: FetchRequest) -> Pending<Result<Fetched, FetchError>> {
        let mut said = self.0.lock().unwrap();
        let json = |value: Value| Fetched::new(200, value.to_string().into_bytes());
        let answer = match request.url.strip_prefix(PROVIDER).unwrap() {
            "/.well-known/openid-configuration" => {
                let mut document = json!({
                    "issuer": PROVIDER,
                    "authorization_endpoint": format!("{PROVIDER}/authorize"),
                    "token_endpoint": format!("{PROVIDER}/token"),
                    "jwks_uri": format!("{PROVIDER}/keys"),
                });
                if said.userinfo.is_some() {
                    document["userinfo_endpoint"] = format!("{PROVIDER}/me").into();
                }
                json(document)
            }
            "/keys" => {
                let key: Value =
                    serde_json::from_slice(&std::fs::read(folder("keys/ed25519.jwk.json")).unwrap()).unwrap();
                json(json!({ "keys": [key] }))
            }
            "/token" => {
                let mut claims = json!({
                    "iss": PROVIDER, "sub": "subject-1", "aud": "us", "nonce": said.nonce,
                    "iat": 1_800_000_000, "exp": 1_800_000_300,
                });
                claims.as_object_mut().unwrap().extend(said.id_token.as_object().cloned().unwrap_or_default());
                let pem = std::fs::read(folder("keys/ed25519.pem")).unwrap();
                let key = EncodingKey::from_ed_pem(&pem).unwrap();
                let token = encode(&Header::new(Algorithm::EdDSA), &claims, &key).unwrap();
                json(json!({ "id_token": token, "access_token": ACCESS_TOKEN, "token_type": "Bearer" }))
            }
            "/me" => {
                let authorization = request.authorization.unwrap();
                assert_eq!(authorization.expose_text(), Some(&*format!("Bearer {ACCESS_TOKEN}")));
                assert!(request.form.is_none());
                said.asked += 1;
                let (status, content) = said.userinfo.clone().unwrap();
                Fetched::new(status, content.into_bytes())
            }
            other => panic!("nobody asks {other}"),
        };
        Box::pin(async move { Ok(answer) })
    }
}

/// Accounts that everybody of the provider may have.
fn service(provider: &Provider, userinfo: UserinfoRule) -> Service {
    service_with(provider, |settings, _| settings.userinfo = userinfo)
}

pub(super) fn service_with(provider: &Provider, change: impl FnOnce(&mut SsoSettings, &mut AccountParts)) -> Service {
    Service::with(Rotation::default(), |parts, _: &Arc<SimulatedClock>| {
        let mut settings = SsoSettings::new(PROVIDER, "us", BACK);
        settings.strangers = Strangers::Provision(Provisioning::default());
        change(&mut settings, parts);
        let seal = Seal::new(&Secret::new(vec![7; 32])).unwrap();
        let (used, links) = (Arc::new(MemoryOnceStore::new()), Arc::new(MemoryLinkStore::new()));
        parts.sso = Some(SingleSignOn::new(settings, Arc::new(provider.clone()), seal, used, links).unwrap());
    })
}

/// A person goes to the provider and comes back.
pub(super) async fn come(service: &Service, provider: &Provider) -> Result<Tokens, AccountError> {
    let attempt = service.accounts.begin_sso(None, None, service.now()).await.unwrap().unwrap();
    let (_, query) = attempt.authorization_url.split_once('?').unwrap();
    let (_, nonce) = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "nonce").unwrap();
    let code = format!("code for {nonce}");
    provider.0.lock().unwrap().nonce = nonce.into_owned();
    let mut login = CodeLogin::new(Secret::from(code), BACK);
    login.state = Some(attempt.state);
    service.accounts.log_in_with_code(login, None, service.now()).await
}

fn named(tokens: &Tokens) -> (Option<&str>, Option<&str>, Option<String>) {
    let text = |name: &Option<auth_core::account::LoginName>| name.as_ref().map(|name| name.written().to_string());
    let account = &tokens.account;
    assert!(account.user_name.is_none());
    (account.name.as_deref(), account.plan.as_deref(), text(&account.email))
}

#[tokio::test]
async fn userinfo_completes_what_the_id_token_leaves_out() {
    let provider = Provider::default();
    let service = service(&provider, UserinfoRule::AskedWhereMissing);
    let userinfo = json!({ "sub": "subject-1", "name": "Other", "email": "ada@example.com", "email_verified": true });
    provider.says(json!({ "name": "Ada" }), &userinfo);
    let tokens = come(&service, &provider).await.unwrap();
    assert_eq!(named(&tokens), (Some("Ada"), None, Some("ada@example.com".to_owned())), "the ID token comes first");
    assert_eq!(provider.asked(), 1);

    // nothing is missing, so nobody is asked
    let all = json!({ "sub": "subject-2", "name": "Grace", "preferred_username": "a@b", "email": "grace@example.com",
                      "email_verified": true });
    provider.says(all, &userinfo);
    assert_eq!(named(&come(&service, &provider).await.unwrap()).0, Some("Grace"));
    assert_eq!(provider.asked(), 1);

    // an address and whether it was verified come from one place
    let userinfo = json!({ "sub": "subject-3", "name": "Joan", "email": "other@example.com", "email_verified": true });
    provider.says(json!({ "sub": "subject-3", "email": "joan@example.com" }), &userinfo);
    let tokens = come(&service, &provider).await.unwrap();
    let account = &tokens.account;
    assert_eq!((account.name.as_deref(), account.email.is_none()), (Some("Joan"), true));
}

#[tokio::test]
async fn userinfo_of_somebody_else_is_refused() {
    let provider = Provider::default();
    let service = service(&provider, UserinfoRule::AskedWhereMissing);
    for told in [
        json!({ "sub": "subject-2", "email": "ada@example.com", "email_verified": true }),
        json!({ "sub": "Subject-1" }),
        json!({ "sub": "" }),
    ] {
        provider.says(json!({}), &told);
        let refused = come(&service, &provider).await.unwrap_err();
        assert_eq!(refused, AccountError::Sso(SsoFault::Userinfo), "{told}");
    }
    for (status, told) in [
        (200, json!({ "email": "ada@example.com" }).to_string()),
        (200, json!({ "sub": 1 }).to_string()),
        (200, r#"{"sub":"subject-1","sub":"subject-1"}"#.to_owned()),
        (200, "eyJhbGciOiJub25lIn0.e30.".to_owned()),
        (401, json!({ "sub": "subject-1" }).to_string()),
    ] {
        provider.0.lock().unwrap().userinfo = Some((status, told.clone()));
        let refused = come(&service, &provider).await.unwrap_err();
        assert!(matches!(refused, AccountError::Sso(SsoFault::Provider(_))), "{told}: {refused:?}");
    }
    // nothing of that was kept
    provider.says(json!({}), &json!({ "sub": "subject-1", "email": "ada@example.com", "email_verified": true }));
    assert!(come(&service, &provider).await.unwrap().account.email.is_some());
}

#[tokio::test]
async fn userinfo_is_asked_only_where_it_is_there_and_wanted() {
    let told = json!({ "sub": "subject-1", "email": "ada@example.com", "email_verified": true });
    for (rule, told) in [(UserinfoRule::Ignored, &told), (UserinfoRule::AskedWhereMissing, &Value::Null)] {
        let provider = Provider::default();
        let service = service(&provider, rule);
        provider.says(json!({}), told);
        let tokens = come(&service, &provider).await.unwrap();
        assert_eq!((provider.asked(), tokens.account.email.is_none()), (0, true), "{rule:?}");
    }
}

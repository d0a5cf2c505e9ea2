//! The token endpoint, row by row of the standards.

use auth_core::client::Grant;
use auth_core::endpoint::{Endpoint, Endpoints, OAuthEndpoints};
use auth_core::issue::NewClient;

use super::{FORM, service, text};

const OWN: &str = "grant_type=client_credentials";

#[test]
fn t1_the_token_endpoint_takes_post_alone() {
    let service = service();
    for method in ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "post"] {
        assert!(service.endpoints.find(method, "/token").is_none(), "{method}");
    }
    let oauth = || Endpoints::builder().oauth(OAuthEndpoints::new(service.clients.clone()).unwrap());
    assert!(oauth().at_with(Endpoint::Token, "/token", Some("GET"), None::<[&str; 0]>, None).build().is_err());
    assert!(oauth().at_with(Endpoint::Token, "/token", None, Some(["access_token"]), None).build().is_err());
    assert!(oauth().at_with(Endpoint::Token, "/token", None, None::<[&str; 0]>, Some(201)).build().is_err());
    assert!(Endpoints::builder().at(Endpoint::Token, "/token").build().is_err());
}

#[test]
fn t2_empty_unknown_and_repeated_parameters() {
    let service = service();
    let client = service.writer();
    let (id, secret) = (&client.record.id, text(&client));
    assert_eq!(service.basic(id, secret, "grant_type=client_credentials&scope=&unknown=1&empty").status, 200);
    for repeated in ["&scope=read&scope=read", "&grant_type=client_credentials", "&unknown=1&unknown=2"] {
        let answer = service.basic(id, secret, &format!("{OWN}{repeated}"));
        assert_eq!(answer.error(), (400, "invalid_request"), "{repeated}");
    }
}

#[test]
fn t3_what_is_given_is_not_to_be_stored() {
    let service = service();
    let client = service.writer();
    let refused = service.basic(&client.record.id, "wrong", OWN);
    for answer in [service.own(&client), refused, service.form("")] {
        assert_eq!(answer.field("cache-control"), Some("no-store"));
        assert_eq!(answer.field("pragma"), Some("no-cache"));
        assert_eq!(answer.field("content-type"), Some("application/json"));
    }
    let given = service.own(&client);
    assert_eq!((&given.body["token_type"], &given.body["expires_in"]), (&"Bearer".into(), &3600.into()));
    let principal = service.present(given.token(), "/write").unwrap();
    assert_eq!(&*principal.subject, format!("client:{}", client.record.id));
}

#[test]
fn t4_and_t12_a_scope_is_given_whole_or_not_at_all() {
    let service = service();
    let mut wanted = NewClient::new("administrator");
    wanted.permissions = ["admin"].into_iter().collect();
    let client = service.client(wanted);
    let (id, secret) = (&client.record.id, text(&client));
    assert!(service.own(&client).body.get("scope").is_none(), "all of it is given where nothing is asked for");
    let narrowed = service.basic(id, secret, &format!("{OWN}&scope=read"));
    assert_eq!(narrowed.body["scope"], "read");
    assert!(service.present(narrowed.token(), "/read").is_ok());
    assert!(service.present(narrowed.token(), "/write").is_err());
    for scope in ["read+other", "other", "read++write", "+read", "re%22ad", "r%C3%A9ad"] {
        let answer = service.basic(id, secret, &format!("{OWN}&scope={scope}"));
        assert_eq!(answer.error(), (400, "invalid_scope"), "{scope}");
    }
}

#[test]
fn t5_refusals_are_told_in_ascii_without_quotes() {
    let service = service();
    for content in ["", "grant_type=x", OWN, "grant_type=client_credentials&client_id=a", "a=%zz", "a=1&a=2"] {
        let answer = service.form(content);
        assert_eq!(answer.status, 400, "{content}");
        let description = answer.body["error_description"].as_str().unwrap();
        assert!(description.bytes().all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\')));
        assert_eq!(answer.body.as_object().unwrap().len(), 2);
    }
    let longest = service.ask(|request| {
        request.media_type = Some(FORM.to_owned());
        request.content = vec![b'a'; auth_core::endpoint::MAX_CONTENT];
    });
    assert_eq!(longest.error(), (400, "invalid_request"));
}

#[test]
fn t6_a_failed_authorization_field_is_401_with_its_challenge() {
    let service = service();
    let client = service.writer();
    for (id, secret) in [("nobody", "secret"), (&*client.record.id, "wrong"), (&*client.record.id, "")] {
        let answer = service.basic(id, secret, OWN);
        assert_eq!(answer.error(), (401, "invalid_client"));
        assert_eq!(answer.field("www-authenticate"), Some("Basic realm=\"api\""));
        assert_eq!(answer.body["error_description"], "Client authentication failed");
    }
}

#[test]
fn t7_two_methods_are_refused_even_where_both_are_good() {
    let service = service();
    let client = service.writer();
    let (id, secret) = (&*client.record.id, text(&client));
    let both = service.basic(id, secret, &format!("{OWN}&client_id={id}&client_secret={secret}"));
    assert_eq!(both.error(), (400, "invalid_request"));
    let other = service.basic(id, secret, &format!("{OWN}&client_id=other"));
    assert_eq!(other.error(), (400, "invalid_request"));
    assert_eq!(service.basic(id, secret, &format!("{OWN}&client_id={id}")).status, 200, "a name is no proof");
}

#[test]
fn t8_both_parts_are_decoded_after_they_were_split() {
    let service = service();
    let mut wanted = NewClient::new("reserved");
    wanted.id = Some("https://app.example/a:b+c%41&=".into());
    let client = service.client(wanted);
    let escaped = "https%3A%2F%2Fapp.example%2Fa%3Ab%2Bc%2541%26%3D";
    assert_eq!(service.basic(escaped, text(&client), OWN).status, 200);
    assert_eq!(service.form(&format!("{OWN}&client_id={escaped}&client_secret={}", text(&client))).status, 200);
    assert_eq!(service.basic(&client.record.id, text(&client), OWN).error(), (401, "invalid_client"));
    assert_eq!(service.basic("a%zz", text(&client), OWN).error(), (401, "invalid_client"));
}

#[test]
fn t10_there_is_no_refresh_token_with_it() {
    let service = service();
    let given = service.own(&service.writer());
    assert_eq!(given.body.as_object().unwrap().len(), 3, "{}", given.body);
}

#[test]
fn t11_the_password_grant_is_not_supported() {
    let service = service();
    let client = service.writer();
    for grant in ["password", "authorization_code", "implicit", "Client_Credentials"] {
        let content = format!("grant_type={grant}&username=ada&password=secret");
        let answer = service.basic(&client.record.id, text(&client), &content);
        assert_eq!(answer.error(), (400, "unsupported_grant_type"), "{grant}");
    }
}

#[test]
fn t12_each_client_may_use_its_own_grants_alone() {
    let service = service();
    let mut wanted = NewClient::new("exchanger");
    wanted.grants = [Grant::TokenExchange].into_iter().collect();
    let client = service.client(wanted);
    assert_eq!(service.own(&client).error(), (400, "unauthorized_client"));
}

#[test]
fn secrets_do_not_belong_into_the_query() {
    let service = service();
    let client = service.writer();
    let answer = service.ask(|request| {
        request.media_type = Some(FORM.to_owned());
        request.query = Some(format!("client_secret={}", text(&client)));
        request.content = format!("{OWN}&client_id={}", client.record.id).into_bytes();
    });
    assert_eq!(answer.error(), (400, "invalid_request"));
}

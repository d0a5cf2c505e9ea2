//! What is compared with what.

#![expect(deprecated, reason = "the static token is what the field compares itself with")]

use std::rc::Rc;

use axum::Router;
use axum::body::Body;
use tower_http::auth::require_authorization::Bearer;
use tower_http::validate_request::ValidateRequestHeaderLayer;

use crate::frameworks::{Answer, Field, Nothing, checked, on_actix, on_axum};
use crate::measure::{Row, print};
use crate::ours::{self, Work};
use crate::peers::{Key, authorizer, by_hand, extractor, httpauth, rate, resource_server};
use crate::workload::{Algorithm, Fallible, Workload};
use crate::{app, router};

/// Measures everything and prints it.
///
/// # Errors
/// Something does not admit the token, or admits a changed one.
pub(crate) async fn print_all() -> Fallible<()> {
    let work = ours::all()?;
    print("Added to a bare router of axum", axum_rows(&work).await?);
    print("Added to a bare app of actix-web", actix_rows(&work).await?);
    print("Beside each other, on axum", aims(&work)?);
    Ok(())
}

async fn axum_rows(work: &[Work]) -> Fallible<Vec<Row>> {
    let bare = axum(router::bare());
    let mut rows = Vec::new();
    let constant = work.first().ok_or("there is a token")?;
    rows.push(row("a layer that does nothing", &bare, &axum(router::bare().layer(Nothing)), &constant.workload.field));
    rows.push(row("`tower-http`, static bearer token", &bare, &static_token(constant)?, &constant.workload.field));
    for Work { name, workload } in work {
        let ours = checked(name, ours::on_tower(&workload.gate), &workload.field)?;
        rows.push(row(format!("**the gate**, {name}"), &bare, &ours, &workload.field));
    }
    for Work { workload, .. } in work {
        let Some(key) = key(workload) else { continue };
        let (algorithm, field) = (algorithm_name(&key), &workload.field);
        let bare_07 = on_axum::<_, axum_07::body::Body, _>(authorizer::bare());
        let authorizer = on_axum::<_, axum_07::body::Body, _>(authorizer::around(authorizer::bare(), &key).await?);
        let mut peers = vec![
            ("`from_fn` with `jsonwebtoken`", &bare, axum(by_hand::around(router::bare(), &key))),
            ("`jwt-authorizer`", &bare_07, authorizer),
            ("`axum-jwt-auth`", &bare, axum(extractor::router(&key)?)),
        ];
        if matches!(key.algorithm, Algorithm::Rs256) {
            let server = axum(resource_server::around(router::bare(), &key).await?);
            peers.push(("`tower-oauth2-resource-server`", &bare, server));
        }
        for (name, bare, peer) in peers {
            rows.push(row(format!("{name}, {algorithm}"), bare, &checked(name, peer, field)?, field));
        }
    }
    let field = &constant.workload.field;
    rows.push(row("`tower_governor` with header fields", &bare, &axum(rate::around(router::bare())?), field));
    rows.push(row("`from_fn`, HS256, and `tower_governor`", &bare, &by_hand_with_rate(constant)?, field));
    Ok(rows)
}

async fn actix_rows(work: &[Work]) -> Fallible<Vec<Row>> {
    let bare = on_actix(app::app().await);
    let mut rows = Vec::new();
    for Work { name, workload } in work {
        let ours = checked(name, ours::wrapped(&workload.gate).await, &workload.field)?;
        let row = row(format!("**the gate**, {name}"), &bare, &ours, &workload.field);
        rows.push(if ["known token", "known API key"].contains(name) { row.at_most(1.4) } else { row });
    }
    for Work { workload, .. } in work {
        let Some(key) = key(workload) else { continue };
        let name = format!("`actix-web-httpauth` with `jsonwebtoken`, {}", algorithm_name(&key));
        let peer = checked(&name, httpauth::wrapped(&key).await, &workload.field)?;
        rows.push(row(name, &bare, &peer, &workload.field));
    }
    Ok(rows)
}

/// What the gate is aimed at, each beside the peer that it is measured by.
fn aims(work: &[Work]) -> Fallible<Vec<Row>> {
    let [token, _, known, api_key, everything] = work else { return Err("there are five kinds of work".into()) };
    let ours = |work: &Work| ours::on_tower(&work.workload.gate);
    let constant = static_token(token)?;
    let nothing = axum(router::bare().layer(Nothing));
    let pair = by_hand_with_rate(token)?;
    let known_row = |name, work: &Work| {
        let (field, constant_field) = (work.workload.field.clone(), token.workload.field.clone());
        two(name, (&constant, constant_field), (&ours(work), field)).at_most(1.4)
    };
    let full = |name, than: &Answer| {
        let field = everything.workload.field.clone();
        two(name, (than, token.workload.field.clone()), (&ours(everything), field))
    };
    Ok(vec![
        known_row("known token / static bearer token of `tower-http`", known),
        known_row("known API key / static bearer token of `tower-http`", api_key),
        full("known token, 1,000 routes, three budgets / a layer that does nothing", &nothing).at_most(2.5),
        two(
            "`from_fn`, HS256, and `tower_governor` / a layer that does nothing",
            (&nothing, token.workload.field.clone()),
            (&pair, token.workload.field.clone()),
        ),
        full("known token, 1,000 routes, three budgets / `from_fn`, HS256, and `tower_governor`", &pair),
    ])
}

fn axum(router: Router) -> Answer {
    on_axum::<Router, Body, _>(router)
}

fn static_token(work: &Work) -> Fallible<Answer> {
    let field = &work.workload.field;
    let token = field.1.strip_prefix("Bearer ").unwrap_or_default();
    let layer: ValidateRequestHeaderLayer<Bearer<Body>> = ValidateRequestHeaderLayer::bearer(token);
    checked("tower-http", axum(router::bare().layer(layer)), field)
}

/// The budget is asked first, as it should be: it is the cheaper of the two.
fn by_hand_with_rate(work: &Work) -> Fallible<Answer> {
    let key = key(&work.workload).ok_or("the first token is verified every time")?;
    let both = rate::around(by_hand::around(router::bare(), &key))?;
    checked("from_fn and tower_governor", axum(both), &work.workload.field)
}

fn row(name: impl Into<String>, bare: &Answer, with: &Answer, field: &Field) -> Row {
    two(name, (bare, field.clone()), (with, field.clone()))
}

fn two(name: impl Into<String>, bare: (&Answer, Field), with: (&Answer, Field)) -> Row {
    let [bare, with] = [bare, with].map(|(answer, field)| {
        let answer = Rc::clone(answer);
        move || {
            std::hint::black_box(answer(&field));
        }
    });
    Row::new(name, bare, with)
}

fn key(workload: &Workload) -> Option<Key<'_>> {
    let (algorithm, bytes) = workload.signed_with.as_ref()?;
    Some(Key { algorithm: *algorithm, bytes })
}

fn algorithm_name(key: &Key<'_>) -> &'static str {
    match key.algorithm {
        Algorithm::Hs256 => "HS256",
        Algorithm::Rs256 => "RS256",
        Algorithm::Es256 => "ES256",
        Algorithm::EdDsa => "EdDSA",
    }
}

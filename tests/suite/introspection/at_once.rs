//! Many requests at the same moment, and clients that hang up.

use std::sync::Arc;
use std::time::Duration;

use auth_core::SimulatedClock;
use auth_core::gate::Gate;
use auth_core::verify::introspection::IntrospectionServer;
use futures_util::future::join_all;
use serde_json::json;
use tokio::task::JoinHandle;

use super::{START, active, builder, decided, inactive, settings, verifier};
use crate::gateway::soon;
use crate::stand_in::AuthorizationServer;

fn stage(settings: IntrospectionServer) -> (AuthorizationServer, Arc<SimulatedClock>, Arc<Gate>) {
    let server = AuthorizationServer::hesitant(&active(&json!({})));
    let clock = Arc::new(SimulatedClock::at_unix_seconds(START));
    let gate = builder(verifier(settings, &server), &clock).build().unwrap();
    (server, clock, Arc::new(gate))
}

fn ask(gate: &Arc<Gate>, token: &str) -> JoinHandle<(u16, &'static str)> {
    let (gate, token) = (Arc::clone(gate), token.to_owned());
    tokio::spawn(async move { decided(&gate, "/read", &token).await })
}

async fn statuses(requests: Vec<JoinHandle<(u16, &'static str)>>) -> Vec<u16> {
    let answers = soon("every answer", join_all(requests)).await;
    answers.into_iter().map(|answer| answer.unwrap().0).collect()
}

/// Lets everything run that can.
async fn settle(server: &AuthorizationServer, under_way: usize) {
    let settled = async {
        while server.under_way() != under_way {
            tokio::task::yield_now().await;
        }
    };
    soon("the questions", settled).await;
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_requests_with_one_token_are_one_question() {
    for _ in 0..20 {
        let (server, _, gate) = stage(settings());
        let requests: Vec<_> = (0..200).map(|_| ask(&gate, "opaque")).collect();
        settle(&server, 1).await;
        server.answer_one();
        assert_eq!(statuses(requests).await, [200; 200]);
        assert_eq!((server.asked(), server.under_way()), (1, 0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn t37_with_a_bound_of_nothing_whoever_comes_later_shares_the_next_question() {
    for _ in 0..20 {
        let (server, _, gate) = stage(settings().believed_for(Duration::ZERO));
        let first = ask(&gate, "opaque");
        settle(&server, 1).await;
        let others: Vec<_> = (0..200).map(|_| ask(&gate, "opaque")).collect();
        settle(&server, 1).await;
        assert_eq!(server.asked(), 1);
        server.answer_one();
        assert_eq!(first.await.unwrap().0, 200);
        // it was taken back before the others are asked for
        server.says(&inactive());
        server.answer_one();
        let statuses = statuses(others).await;
        assert_eq!(server.asked(), 2);
        // those that were not spawned before the first was asked
        assert!(statuses.iter().all(|status| *status == 401), "{statuses:?}");
    }
}

#[tokio::test]
async fn a_client_that_hangs_up_while_its_request_asks_leaves_the_question_to_the_others() {
    for _ in 0..20 {
        let (server, _, gate) = stage(settings());
        let first = ask(&gate, "opaque");
        settle(&server, 1).await;
        let others: Vec<_> = (0..10).map(|_| ask(&gate, "opaque")).collect();
        settle(&server, 1).await;
        first.abort();
        assert!(first.await.unwrap_err().is_cancelled());
        others[3].abort();
        settle(&server, 1).await;
        server.answer_one();
        let answers = soon("every answer", join_all(others)).await;
        let passed = answers.iter().filter(|answer| answer.as_ref().is_ok_and(|(status, _)| *status == 200));
        assert_eq!((passed.count(), server.asked()), (9, 1));
    }
}

#[tokio::test]
async fn a_question_for_which_nobody_waits_is_given_up_and_takes_no_place() {
    let (server, _, gate) = stage(settings().max_requests(2));
    for _ in 0..10 {
        let given_up: Vec<_> = ["one", "two"].map(|token| ask(&gate, token)).into();
        settle(&server, 2).await;
        for request in given_up {
            request.abort();
            assert!(request.await.unwrap_err().is_cancelled());
        }
        settle(&server, 0).await;
    }
    let request = ask(&gate, "one");
    settle(&server, 1).await;
    server.answer_one();
    assert_eq!(request.await.unwrap(), (200, ""));
    assert_eq!(server.asked(), 21);
}

#[tokio::test]
async fn beyond_the_number_of_questions_it_is_503_and_no_queue() {
    let (server, clock, gate) = stage(settings().max_requests(2));
    let requests: Vec<_> = (0..10).map(|number| ask(&gate, &format!("token-{}", number % 5))).collect();
    settle(&server, 2).await;
    server.answer_one();
    server.answer_one();
    let statuses = statuses(requests).await;
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 4, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 503).count(), 6, "{statuses:?}");
    assert_eq!((server.asked(), server.most_under_way()), (2, 2));
    // they were refused for that moment alone
    let again = ask(&gate, "token-4");
    settle(&server, 1).await;
    server.answer_one();
    assert_eq!(again.await.unwrap().0, 200);
    clock.advance(Duration::from_secs(10));
    let held: Vec<_> = ["token-0", "token-1"].map(|token| ask(&gate, token)).into();
    settle(&server, 2).await;
    assert_eq!(ask(&gate, "token-2").await.unwrap(), (503, "overloaded"));
    drop(held);
}

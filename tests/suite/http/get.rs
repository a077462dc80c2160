//! GET /graphql: queries only, with every parameter in the URL.

use super::server::{Answer, Server, client, get_with};

const MODERN: (&str, &str) = ("accept", "application/graphql-response+json");

#[tokio::test]
async fn a_query_with_all_parameters_is_answered() {
    let server = Server::start().await;
    let parameters = [
        ("query", "query A { hello } query B($n: String) { hello(name: $n) }"),
        ("operationName", "B"),
        ("variables", r#"{"n":"a+b & ü"}"#),
        ("extensions", r#"{"any":1}"#),
    ];
    let answer = get_with(&server, &parameters, &[]).await;
    assert_eq!(answer.body["data"]["hello"], "Hello, a+b & ü!");
}

#[tokio::test]
async fn a_mutation_is_refused_whatever_the_client_accepts() {
    let server = Server::start().await;
    let parameters = [("query", "mutation { record(input: { name: \"n\" }) { name } }")];
    for headers in [&[MODERN][..], &[]] {
        let answer = get_with(&server, &parameters, headers).await;
        assert_eq!((answer.status, answer.code()), (405, "METHOD_NOT_ALLOWED"));
        assert_eq!(answer.header("allow"), "POST");
    }
}

#[tokio::test]
async fn other_methods_are_refused() {
    let server = Server::start().await;
    for method in ["PUT", "DELETE", "PATCH"] {
        let method = method.parse().unwrap();
        let answer = Answer::of(client().request(method, server.url("/graphql")).send().await.unwrap()).await;
        assert_eq!((answer.status, answer.code()), (405, "METHOD_NOT_ALLOWED"));
        assert_eq!(answer.header("allow"), "GET, POST");
    }
    let head = client().head(server.url("/graphql?query={hello}")).send().await.unwrap();
    assert_eq!(head.status(), 200);
}

#[tokio::test]
async fn bad_parameters_are_named() {
    let server = Server::start().await;
    for (name, value) in [("variables", "{"), ("variables", "[]"), ("extensions", "7")] {
        let answer = get_with(&server, &[("query", "{ hello }"), (name, value)], &[MODERN]).await;
        assert_eq!((answer.status, answer.code()), (400, "BAD_REQUEST"));
        assert!(answer.message().contains(name), "{}", answer.message());
    }
    let answer = get_with(&server, &[], &[MODERN]).await;
    assert_eq!((answer.status, answer.message()), (400, "\"query\" is missing."));
    let raw = client().get(server.url("/graphql?query=%ff")).send().await.unwrap();
    assert_eq!(raw.status(), 400);
}

#[tokio::test]
async fn a_visitor_with_a_browser_is_shown_in() {
    let server = Server::start().await;
    let answer = get_with(&server, &[], &[("accept", "text/html,*/*;q=0.8")]).await;
    // The test's client adds an empty query part, which is a request and not a visit.
    assert_eq!(answer.status, 400);
    let visit = client().get(server.url("/graphql")).header("accept", "text/html,*/*;q=0.8");
    let visit = visit.send().await.unwrap();
    assert_eq!((visit.status().as_u16(), visit.headers()["location"].to_str().unwrap()), (303, "/graphiql"));
}

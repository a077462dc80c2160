//! What a web page elsewhere can and cannot make a browser do here.

use dendro::{config::Limits, http::Access};
use serde_json::json;

use super::server::{Answer, Server, client, get_with};

async fn post_from(server: &Server, headers: &[(&str, &str)]) -> Answer {
    let mut request = client().post(server.url("/graphql")).body(json!({ "query": "{ hello }" }).to_string());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Answer::of(request.send().await.unwrap()).await
}

#[tokio::test]
async fn a_simple_request_cannot_carry_an_operation() {
    let server = Server::start().await;
    for simple in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b"] {
        let answer = post_from(&server, &[("content-type", simple)]).await;
        assert_eq!((answer.status, answer.code()), (415, "UNSUPPORTED_MEDIA_TYPE"), "{simple}");
    }
    let answer = post_from(&server, &[]).await;
    assert_eq!((answer.status, answer.code()), (415, "UNSUPPORTED_MEDIA_TYPE"));
}

#[tokio::test]
async fn foreign_origins_are_refused_and_configured_ones_served() {
    let server = Server::start().await;
    let json = ("content-type", "application/json");
    let foreign = post_from(&server, &[json, ("origin", "https://evil.example")]).await;
    assert_eq!((foreign.status, foreign.code()), (403, "FORBIDDEN_ORIGIN"));
    assert!(!foreign.headers.contains_key("access-control-allow-origin"));
    let own = format!("http://{}", server.address);
    assert_eq!(post_from(&server, &[json, ("origin", &own)]).await.status, 200);
    let friend = post_from(&server, &[json, ("origin", "https://app.example")]).await;
    assert_eq!((friend.status, friend.header("access-control-allow-origin")), (200, "https://app.example"));
}

#[tokio::test]
async fn preflights_are_answered_for_configured_origins_only() {
    let server = Server::start().await;
    let ask = async |origin: &str| {
        let request = client().request(reqwest::Method::OPTIONS, server.url("/graphql"));
        let request = request.header("origin", origin).header("access-control-request-method", "POST");
        Answer::of(request.header("access-control-request-headers", "content-type").send().await.unwrap())
            .await
    };
    let friend = ask("https://app.example").await;
    assert_eq!((friend.status, friend.header("access-control-allow-origin")), (200, "https://app.example"));
    assert!(friend.header("access-control-allow-headers").contains("content-type"));
    assert!(friend.header("access-control-allow-methods").contains("POST"));
    let foreign = ask("https://evil.example").await;
    assert_eq!(foreign.status, 403);
    assert!(!foreign.headers.contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn a_cross_site_get_is_refused() {
    let server = Server::start().await;
    let query = [("query", "{ hello }")];
    for site in ["cross-site", "same-site"] {
        let answer = get_with(&server, &query, &[("sec-fetch-site", site)]).await;
        assert_eq!((answer.status, answer.code()), (403, "FORBIDDEN_ORIGIN"), "{site}");
        let page = client().get(server.url("/page")).header("sec-fetch-site", site).send().await.unwrap();
        assert_eq!(page.status(), 200, "a link to a page is fine");
    }
    for site in ["same-origin", "none"] {
        assert_eq!(get_with(&server, &query, &[("sec-fetch-site", site)]).await.status, 200, "{site}");
    }
    let friend = [("sec-fetch-site", "cross-site"), ("origin", "https://app.example")];
    assert_eq!(get_with(&server, &query, &friend).await.status, 200);
}

#[tokio::test]
async fn a_foreign_host_is_refused_on_loopback() {
    let server = Server::start().await;
    for path in ["/graphql?query={hello}", "/page"] {
        let request = client().get(server.url(path)).header("host", "evil.example");
        let answer = Answer::of(request.send().await.unwrap()).await;
        assert_eq!((answer.status, answer.code()), (403, "FORBIDDEN_HOST"));
    }
    let health = client().get(server.url("/healthz")).header("host", "10.0.0.7").send().await.unwrap();
    assert_eq!(health.status(), 200);
    let open = Server::with_access(Limits::default(), &Access::any_host(&[])).await;
    let request = client().get(open.url("/graphql?query={hello}")).header("host", "dendro.example");
    assert_eq!(request.send().await.unwrap().status(), 200);
}

//! GraphiQL's page and files, as a client gets them.

use std::net::SocketAddr;
use std::path::Path;

use reqwest::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, VARY};
use reqwest::{Client, Response, StatusCode};
use tokio::net::TcpListener;

async fn served() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, dendro::http::assets::router()).await });
    address
}

/// The client decodes nothing by itself, so what it shows is what was sent.
async fn get(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Response {
    // Bodies are shown as they were sent.
    let client = Client::builder().no_gzip().build().unwrap();
    let mut request = client.get(format!("http://{address}{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

/// The page's first script: present in a full build, absent where `make web` has not run.
async fn script_of_page(address: SocketAddr) -> Option<String> {
    let page = get(address, "/graphiql", &[]).await.text().await.unwrap();
    let (_, rest) = page.split_once("src=\"")?;
    Some(rest.split_once('"').unwrap().0.to_owned())
}

fn built() -> bool {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("web/dist/graphiql/index.html").exists()
}

#[tokio::test]
async fn the_page_is_there_or_says_how_to_build_it() {
    let address = served().await;
    for path in ["/graphiql", "/graphiql/", "/api/v1/docs", "/api/v1/docs/"] {
        let page = get(address, path, &[]).await;
        assert_eq!(header(&page, CONTENT_TYPE.as_str()), "text/html; charset=utf-8");
        let policy = header(&page, "content-security-policy");
        assert!(policy.contains("default-src 'none'"), "{policy}");
        assert!(!policy.contains("http"), "{policy}");
        if built() {
            assert_eq!(page.status(), StatusCode::OK);
            assert_eq!(header(&page, CACHE_CONTROL.as_str()), "no-cache");
        } else {
            assert_eq!(page.status(), StatusCode::NOT_FOUND);
            assert!(page.text().await.unwrap().contains("make web"));
        }
    }
}

#[tokio::test]
async fn a_script_comes_packed_as_asked_and_stays_for_good() {
    let address = served().await;
    let Some(script) = script_of_page(address).await else {
        assert!(!built());
        return;
    };
    let mut tags = Vec::new();
    for (offer, given) in [("gzip, br", "br"), ("gzip", "gzip"), ("identity", "")] {
        let file = get(address, &script, &[("accept-encoding", offer)]).await;
        assert_eq!(file.status(), StatusCode::OK);
        assert_eq!(header(&file, CONTENT_ENCODING.as_str()), given);
        assert_eq!(header(&file, CONTENT_TYPE.as_str()), "text/javascript; charset=utf-8");
        assert_eq!(header(&file, VARY.as_str()), "accept-encoding");
        assert!(header(&file, CACHE_CONTROL.as_str()).contains("immutable"));
        tags.push(header(&file, ETAG.as_str()).to_owned());
    }
    tags.dedup();
    assert_eq!(tags.len(), 3, "each form has a tag of its own: {tags:?}");
}

#[tokio::test]
async fn what_the_client_has_is_not_sent_again() {
    let address = served().await;
    if !built() {
        return;
    }
    let page = get(address, "/graphiql", &[]).await;
    let tag = header(&page, ETAG.as_str()).to_owned();
    let again = get(address, "/graphiql", &[("if-none-match", &tag)]).await;
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    assert_eq!(header(&again, ETAG.as_str()), tag);
    assert_eq!(header(&again, CACHE_CONTROL.as_str()), "no-cache");
    assert!(again.bytes().await.unwrap().is_empty());
}

#[tokio::test]
async fn nothing_outside_the_build_is_served() {
    let address = served().await;
    for path in [
        "/graphiql/assets/none.js",
        "/graphiql/..%2F..%2F..%2FCargo.toml",
        "/graphiql/%2e%2e/.gitkeep",
        "/graphiql//etc/passwd",
        "/api/v1/docs/..%2Fgraphiql%2Findex.html",
    ] {
        let answer = get(address, path, &[]).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
    }
}

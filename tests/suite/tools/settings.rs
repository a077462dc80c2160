//! What can be set of tools: what is wrong is named, and secrets are not shown.

use dendro::model::secret::Secret;
use dendro::{config::Config, tools::ToolsConfig};
use serde_json::{Value, json};

#[test]
fn a_wrong_setting_is_named_with_what_would_be_right() {
    let server = |server: Value| json!({"mcp": {"files": server}});
    for (tools, key, told) in [
        (json!({"timeout_seconds": 0}), "tools.timeout_seconds", "not between 1 and"),
        (json!({"output_bytes": 10}), "tools.output_bytes", "not between 256 and"),
        (json!({"disabled": ["a b"]}), "tools.disabled", "`a b` is no name"),
        (json!({"read_url": {"allow": ["https://a.b/"]}}), "tools.read_url.allow", "looks like example.com"),
        (json!({"read_url": {"bytes": 1}}), "tools.read_url.bytes", "not between 1024 and"),
        (server(json!({})), "tools.mcp", "server `files`: it needs `command`, for a program, or `url`"),
        (server(json!({"command": "a", "url": "http://a"})), "tools.mcp", "one of them"),
        (server(json!({"command": " "})), "tools.mcp", "empty"),
        (server(json!({"command": "a", "headers": {"a": "b"}})), "tools.mcp", "`env`"),
        (server(json!({"command": "a", "env": {"a=b": "c"}})), "tools.mcp", "name of a variable"),
        (server(json!({"url": "http://a", "args": ["b"]})), "tools.mcp", "`command`"),
        (server(json!({"url": "ftp://a"})), "tools.mcp", "http://"),
        (server(json!({"url": "http://user:pass@a"})), "tools.mcp", "`headers`"),
        (server(json!({"url": "http://a", "headers": {"a b": "c"}})), "tools.mcp", "name of a header"),
        (server(json!({"url": "http://a", "headers": {"a": "secret\n"}})), "tools.mcp", "header `a`"),
        (server(json!({"url": "http://a", "headers": {"a": "***"}})), "tools.mcp", "instead of a value"),
        (server(json!({"command": "a", "start_seconds": 0})), "tools.mcp", "start_seconds"),
        (json!({"mcp": {"a.b": {"command": "a"}}}), "tools.mcp", "letters, digits"),
    ] {
        let config = Config { tools: serde_json::from_value(tools.clone()).unwrap(), ..Config::default() };
        let fault = config.check().unwrap_err();
        assert_eq!(fault.key, key, "{tools}");
        assert!(fault.message.contains(told), "{tools}: {}", fault.message);
        assert!(!fault.message.contains("secret"), "{}", fault.message);
    }
    assert_eq!(Config::default().check(), Ok(()));
}

#[test]
fn secrets_are_used_and_not_shown() {
    let config: ToolsConfig = serde_json::from_value(json!({"mcp": {
        "far": {"url": "https://example.com/mcp", "headers": {"Authorization": "Bearer hunter2"}},
        "near": {"command": "server", "env": {"KEY": "hunter2"}},
    }}))
    .unwrap();
    assert_eq!(config.check(), Ok(()));
    let headers = &config.mcp["far"].headers;
    assert_eq!(headers.get("Authorization").map(Secret::expose), Some("Bearer hunter2"));
    for shown in
        [format!("{config:?}"), serde_json::to_string(&config).unwrap(), toml::to_string(&config).unwrap()]
    {
        assert!(!shown.contains("hunter2") && shown.contains("***"), "{shown}");
    }
}

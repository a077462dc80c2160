//! Prices of the bundled table, worked out by hand, and what the names that agents send mean.

use std::sync::Arc;

use chrono::{TimeZone, Utc};

use super::*;

fn bundled() -> Arc<PriceTable> {
    PriceTable::bundled().unwrap()
}

fn day(year: i32, month: u32, day: u32) -> Timestamp {
    Timestamp::from_date(Utc.with_ymd_and_hms(year, month, day, 0, 0, 0).unwrap()).unwrap()
}

/// Input, of which read from and written to a cache; output, of which reasoning.
fn tokens(input: u64, cache_read: u64, cache_write: u64, output: u64, reasoning: u64) -> TokenTotals {
    TokenTotals { input, output, cache_read, cache_write, reasoning }
}

/// Nanodollars.
fn cost(provider: &str, model: &str, tokens: TokenTotals) -> Option<i64> {
    cost_at(provider, model, tokens, day(2026, 11, 20))
}

fn cost_at(provider: &str, model: &str, tokens: TokenTotals, at: Timestamp) -> Option<i64> {
    let provider = (!provider.is_empty()).then_some(provider);
    bundled().cost(&PricedCall { model, provider, at, tokens }).map(NanoUsd::nanos)
}

#[test]
fn the_table_says_which_it_is() {
    let table = bundled();
    let parts: Vec<_> = table.version().split(' ').collect();
    assert!(matches!(parts[..], ["genai-prices", _, date] if date.len() == 10), "{parts:?}");
    assert!(include_str!("table.LICENSE").starts_with("The MIT License (MIT)"));
}

#[test]
fn a_table_may_stand_before_another() {
    let own = r#"{"source": "own", "version": "1", "date": "2026-01-01", "providers": [
      {"id": "here", "models": [{"id": "mine", "prices": {"input": 2}}, {"id": "gpt-4o", "prices": {"input": 7}}]}
    ]}"#;
    let table = PriceTable::parse(own).unwrap().or(bundled());
    assert!(table.version().starts_with("own 1 2026-01-01, genai-prices "));
    let cost = |provider, model| {
        let tokens = tokens(1, 0, 0, 0, 0);
        let call = PricedCall { model, provider: Some(provider), at: day(2026, 11, 20), tokens };
        table.cost(&call).map(NanoUsd::nanos)
    };
    assert_eq!(cost("here", "mine"), Some(2000));
    assert_eq!(cost("here", "gpt-4o"), Some(7000));
    assert_eq!(cost("openai", "gpt-4o-mini"), Some(150));
    assert_eq!(cost("here", "nobody-knows"), None);
}

#[test]
fn prices_are_exact() {
    // $2.50 in, $1.25 from the cache, $10 out: 600 × 2500 + 400 × 1250 + 100 × 10000.
    assert_eq!(cost("openai", "gpt-4o", tokens(1000, 400, 0, 100, 0)), Some(3_000_000));
    // $0.15 in, $0.075 from the cache, $0.60 out: 1 × 150 + 1 × 75 + 1 × 600.
    assert_eq!(cost("openai", "gpt-4o-mini", tokens(2, 1, 0, 1, 0)), Some(825));
    // $3 in, $0.30 read, $3.75 written, $15 out: 10 × 3000 + 1000 × 300 + 200 × 3750 + 20 × 15000.
    let claude = tokens(1210, 1000, 200, 20, 0);
    assert_eq!(cost("anthropic", "claude-sonnet-4-5-20250929", claude), Some(1_380_000));
    // $1.10 in, $4.40 out, reasoning as output: 100 × 1100 + 50 × 4400.
    assert_eq!(cost("openai", "o4-mini", tokens(100, 0, 0, 50, 40)), Some(330_000));
    // $2 in, $8 out, $3 for reasoning: 10 × 2000 + 5 × 8000 + 20 × 3000.
    assert_eq!(cost("perplexity", "sonar-deep-research", tokens(10, 0, 0, 25, 20)), Some(120_000));
    // $1 in and out, and $0.012 for the call.
    assert_eq!(cost("perplexity", "sonar", tokens(7, 0, 0, 3, 0)), Some(12_010_000));
    // $0.003625 from the cache: 1 × 3.625 is 4, and 3 × 3.625 is 10.875.
    let before = day(2026, 8, 1);
    assert_eq!(cost_at("deepseek", "deepseek-v4-pro", tokens(1, 1, 0, 0, 0), before), Some(4));
    assert_eq!(cost_at("deepseek", "deepseek-v4-pro", tokens(3, 3, 0, 0, 0), before), Some(11));
    assert_eq!(cost("openai", "gpt-4o", TokenTotals::default()), Some(0));
}

#[test]
fn a_large_input_makes_every_token_dearer() {
    // Up to 200,000 input tokens $1.25 in, $0.125 from the cache, $10 out; above them $2.50, $0.25, $15.
    let google = |tokens| cost("gcp.gemini", "gemini-2.5-pro", tokens);
    assert_eq!(google(tokens(200_000, 0, 0, 10, 0)), Some(200_000 * 1250 + 10 * 10_000));
    assert_eq!(google(tokens(200_001, 0, 0, 10, 0)), Some(200_001 * 2500 + 10 * 15_000));
    // What came from a cache counts for the size.
    let cached = tokens(200_001, 200_000, 0, 10, 0);
    assert_eq!(google(cached), Some(2500 + 200_000 * 250 + 10 * 15_000));
}

#[test]
fn a_price_holds_from_its_day_on() {
    // o3: $10 until 2025-06-10, then $2.
    let at = |moment| cost_at("openai", "o3", tokens(1, 0, 0, 0, 0), moment);
    let change = day(2025, 6, 10);
    assert_eq!(at(day(2025, 4, 16)), Some(10_000));
    assert_eq!(at(change.plus_nanos(-1)), Some(10_000));
    assert_eq!(at(change), Some(2000));
    assert_eq!(at(Timestamp::from_nanos(i64::MIN)), Some(10_000));
    assert_eq!(at(Timestamp::from_nanos(i64::MAX)), Some(2000));
}

#[test]
fn providers_go_by_the_names_that_agents_send() {
    let one = tokens(1, 0, 0, 0, 0);
    let cases: &[(&[&str], &str, i64)] = &[
        (
            &["openai", "OpenAI", "openai.chat", "openai.responses", "openai-agents", " openai "],
            "gpt-4o",
            2500,
        ),
        (&["azure", "az.ai.openai", "azure.ai.openai", "azure_openai", "azure-openai.chat"], "gpt-4o", 2500),
        (&["anthropic", "anthropic.messages", "Anthropic"], "claude-sonnet-4-5", 3000),
        (
            &["gcp.gemini", "gcp.vertex_ai", "gcp.gen_ai", "google", "vertexai", "google.generative-ai"],
            "gemini-2.5-pro",
            1250,
        ),
        (&["google_genai", "vertex_ai", "google.vertex.chat", "gemini"], "gemini-2.5-pro", 1250),
        (&["vertex.anthropic.messages", "google.vertex.anthropic"], "claude-sonnet-4-5", 3000),
        (&["aws.bedrock", "aws_bedrock", "amazon-bedrock", "bedrock", "aws"], "us.amazon.nova-pro-v1:0", 800),
        (&["mistral_ai", "mistralai", "mistral.chat", "mistral"], "mistral-large-2411", 2000),
        (&["x_ai", "xai", "xai.chat", "x-ai"], "grok-3", 3000),
        (&["groq", "groq.chat"], "llama-3.3-70b-versatile", 590),
        (&["deepseek", "deepseek.chat"], "deepseek-chat", 270),
        (&["together_ai", "togetherai.chat", "together"], "meta-llama/Llama-3.3-70B-Instruct-Turbo", 880),
        (&["", "gateway", "litellm", "nobody-knows"], "gpt-4o", 2500),
    ];
    for (providers, model, price) in cases {
        for provider in *providers {
            assert_eq!(cost(provider, model, one), Some(*price), "{provider}: {model}");
        }
    }
}

#[test]
fn models_go_by_the_names_that_agents_send() {
    let one = tokens(1, 0, 0, 0, 0);
    let cases = [
        ("openai", "GPT-4o", 2500),
        ("openai", "gpt-4o-2024-05-13", 5000),
        ("openai", "gpt-4o-20240513", 5000),
        ("openai", "gpt-4o-2031-01-01", 2500),
        ("openai", "openai/gpt-4o", 2500),
        ("google", "models/gemini-2.5-pro", 1250),
        ("google", "publishers/google/models/gemini-2.5-pro", 1250),
        ("google", "claude-sonnet-4-5@20250929", 3000),
        ("anthropic", "us.anthropic.claude-3-5-sonnet-20240620-v1:0", 3000),
        ("aws.bedrock", "us.anthropic.claude-3-5-sonnet-20240620-v1:0", 3000),
        ("aws.bedrock", "arn:aws:bedrock:us-east-1:1:inference-profile/us.amazon.nova-pro-v1:0", 800),
        ("azure", "gpt-4o-2024-08-06", 2500),
        ("azure", "grok-3", 3000),
        ("", "openai/gpt-4o", 2500),
        ("", "anthropic/claude-3.5-sonnet", 3000),
        ("", "us.anthropic.claude-3-5-sonnet-20240620-v1:0", 3000),
        ("", "models/gemini-2.5-pro", 1250),
        ("litellm", "bedrock/us.amazon.nova-pro-v1:0", 800),
        ("gateway", "xai/grok-3", 3000),
    ];
    for (provider, model, price) in cases {
        assert_eq!(cost(provider, model, one), Some(price), "{provider}: {model}");
    }
}

#[test]
fn a_protocol_is_not_a_seller() {
    let one = tokens(1, 0, 0, 0, 0);
    // Client libraries of OpenAI and Anthropic that are pointed at others.
    assert_eq!(cost("openai", "deepseek-chat", one), cost("deepseek", "deepseek-chat", one));
    assert_eq!(cost("anthropic", "glm-4.6", one), Some(600));
    assert_eq!(cost("openai", "anthropic/claude-3.5-sonnet", one), Some(3000));
    // Anybody may run these.
    assert_eq!(cost("openai", "Qwen/Qwen2.5-7B-Instruct", one), None);
    assert_eq!(cost("openai", "llama-3.3-70b-versatile", one), None);
}

#[test]
fn where_nobody_says_who_sold_it_makers_and_the_broker_are_asked_first() {
    let one = tokens(1000, 0, 0, 0, 0);
    let open = "meta-llama/llama-3.3-70b-instruct";
    assert!(cost("openrouter", open, one).is_some());
    assert_eq!(cost("", open, one), cost("openrouter", open, one));
    // Others sell it as well, at other prices.
    assert_eq!(cost("", "deepseek-v3.2", one), cost("deepseek", "deepseek-v3.2", one));
    assert_ne!(cost("", "deepseek-v3.2", one), cost("novita", "deepseek/deepseek-v3.2", one));
    assert_eq!(cost("", "llama-3.3-70b-versatile", one), cost("groq", "llama-3.3-70b-versatile", one));
}

#[test]
fn what_has_no_price_has_no_cost() {
    let one = tokens(1, 0, 0, 0, 0);
    for (provider, model) in [
        ("openai", "gpt-99-imaginary"),
        ("", "no-such-model"),
        ("", ""),
        ("openai", ""),
        // A known seller that does not have it.
        ("groq", "gpt-4o"),
        ("mistral", "claude-sonnet-4-5"),
        // By the second.
        ("openai", "whisper-1"),
        // On the user's own machine.
        ("ollama", "deepseek-r1:14b"),
        ("llama.cpp", "deepseek-chat"),
        ("", "ollama/deepseek-r1"),
        ("vllm", "meta-llama/llama-3.3-70b-instruct"),
    ] {
        assert_eq!(cost(provider, model, one), None, "{provider}: {model}");
    }
    // An embedding has a price for what is read only.
    assert_eq!(cost("openai", "text-embedding-3-small", one), Some(20));
    assert_eq!(cost("openai", "text-embedding-3-small", tokens(1, 0, 0, 1, 0)), None);
    // Too long for a name.
    assert_eq!(cost("openai", &format!("gpt-4o{}", "x".repeat(MAX_NAME_BYTES)), one), None);
}

#[test]
fn what_is_free_costs_nothing() {
    let some = tokens(1000, 0, 0, 1000, 0);
    assert_eq!(cost("openrouter", "openai/gpt-oss-20b:free", some), Some(0));
}

#[test]
fn any_counts_can_be_priced() {
    let most = u64::MAX;
    assert_eq!(cost("openai", "gpt-4o", tokens(most, most, most, most, most)), Some(i64::MAX));
    assert_eq!(cost("openai", "gpt-4o", tokens(0, most, most, 0, most)), Some(i64::MAX));
}

#[test]
fn a_user_can_bring_prices() {
    let table = PriceTable::parse(
        r#"{"source": "acme", "version": "7", "date": "2026-01-01", "note": "agreed", "providers": [
            {"id": "acme", "match": "*acme*", "models": [
                {"id": "Large", "match": ["large", "large-##"], "prices": {"input": 0.000001, "output": 2}}
            ]}
        ]}"#,
    )
    .unwrap();
    assert_eq!(table.version(), "acme 7 2026-01-01");
    let cost = |provider, model, input| {
        let tokens = tokens(input, 0, 0, 0, 0);
        table.cost(&PricedCall { model, provider, at: day(2026, 1, 1), tokens }).map(NanoUsd::nanos)
    };
    assert_eq!(cost(Some("my-acme-proxy"), "LARGE-07", 1499), Some(1));
    assert_eq!(cost(None, "large", 1500), Some(2));
    assert_eq!(cost(Some("openai"), "gpt-4o", 1), None);
}

#[test]
fn no_price_falls_when_the_input_grows() {
    let table = bundled();
    let rates = table.catalogue.providers.iter().flat_map(|provider| &provider.models);
    let mut prices = 0;
    for dated in rates.flat_map(|model| model.prices.iter()) {
        let rates = &dated.rates;
        for price in [&rates.input, &rates.output, &rates.cache_read, &rates.cache_write, &rates.reasoning] {
            let Some(price) = price else { continue };
            let steps: Vec<_> =
                std::iter::once(price.base).chain(price.tiers.iter().map(|tier| tier.price)).collect();
            assert!(steps.is_sorted(), "{price:?}");
            prices += 1;
        }
    }
    assert!(prices > 5000, "only {prices} prices were read");
}

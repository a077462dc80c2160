//! With whom to talk: the agent that was named, one that is made for it, or the one that is chosen from what there is.

use anyhow::{Context as _, bail};

use super::{
    api::{Agent, Api, Provider},
    console::Console,
    screen::Look,
};

/// What the command line says of the agent.
#[derive(Debug, Default)]
pub(super) struct Wish {
    /// The agent: `agents/guide`, or `guide`.
    pub agent: Option<String>,
    /// Which version of it.
    pub label: Option<String>,
    /// The model that an agent is to be made with.
    pub model: Option<String>,
    /// What that is told.
    pub system: Option<String>,
    /// What it may call.
    pub tools: Vec<String>,
}

/// What an agent that is made here is called.
const NAME: &str = "chat";

/// What it is told, where nothing is said.
const SYSTEM: &str = "You help whoever talks with you. Use your tools where they know better.";

/// The model that needs no key and no network.
const SCRIPTED: &str = "scripted/demo";

/// Finds or makes the agent. `None`: the user leaves.
pub(super) async fn agent(api: &Api, console: &mut Console, wish: &Wish) -> anyhow::Result<Option<Agent>> {
    if let Some(model) = &wish.model {
        return made(api, model, wish).await.map(Some);
    }
    if let Some(agent) = &wish.agent {
        return named(api, agent, wish.label.as_deref()).await.map(Some);
    }
    let mut agents = api.agents().await?;
    match agents.len() {
        0 => of_a_model(api, console, wish).await,
        1 => Ok(agents.pop()),
        _ if !console.is_interactive() => {
            bail!("there are several agents; name one with --agent:\n{}", listed(&agents));
        }
        _ => one_of(api, console, &agents, wish).await,
    }
}

/// The agent with this name.
pub(super) async fn named(api: &Api, name: &str, label: Option<&str>) -> anyhow::Result<Agent> {
    let id = if name.contains('/') { name.to_owned() } else { format!("agents/{name}") };
    if let Some(agent) = api.agent(&id, label).await? {
        return Ok(agent);
    }
    let version = label.map(|label| format!(" with the label `{label}`")).unwrap_or_default();
    let agents = api.agents().await?;
    if agents.is_empty() {
        bail!("there is no agent `{id}`{version} that can be run, and no other; make one with --model");
    }
    bail!("there is no agent `{id}`{version} that can be run; there are:\n{}", listed(&agents))
}

/// Agents, a line each.
pub(super) fn listed(agents: &[Agent]) -> String {
    let width = agents.iter().map(|agent| agent.id.len()).max().unwrap_or_default();
    let lines = agents.iter().map(|Agent { id, model }| format!("  {id:width$}  {model}"));
    lines.collect::<Vec<_>>().join("\n")
}

async fn made(api: &Api, model: &str, wish: &Wish) -> anyhow::Result<Agent> {
    let tools = if wish.tools.is_empty() { api.tools().await? } else { wish.tools.clone() };
    let system = wish.system.as_deref().unwrap_or(SYSTEM);
    let made = api.create_agent(NAME, model, system, &tools).await;
    made.with_context(|| format!("no agent can be made with the model `{model}`"))
}

async fn one_of(
    api: &Api,
    console: &mut Console,
    agents: &[Agent],
    wish: &Wish,
) -> anyhow::Result<Option<Agent>> {
    console.screen.line(Look::Normal, 0, &format!("Agents:\n{}", listed(agents)))?;
    while let Some(name) = console.hear("agent> ", "").await? {
        let name = name.trim();
        if name.is_empty() {
            continue;
        }
        match named(api, name, wish.label.as_deref()).await {
            Ok(agent) => return Ok(Some(agent)),
            Err(error) => console.screen.line(Look::Red, 0, &format!("{error:#}"))?,
        }
    }
    Ok(None)
}

/// Makes the first agent, with a model that the user chooses.
async fn of_a_model(api: &Api, console: &mut Console, wish: &Wish) -> anyhow::Result<Option<Agent>> {
    let providers = api.providers().await?;
    let (models, scripted) = (askable(&providers), is_scripted(&providers, SCRIPTED));
    if !console.is_interactive() {
        let example = if scripted { SCRIPTED } else { "PROVIDER/MODEL" };
        bail!(
            "there is no agent yet; `--model {example} --system TEXT` makes one. Models that can be asked:\n{models}"
        );
    }
    let told = format!("There is no agent yet. One is made here, with a model that you choose:\n{models}");
    console.screen.line(Look::Normal, 0, &told)?;
    let prompt = if scripted { format!("model [{SCRIPTED}]> ") } else { "model> ".to_owned() };
    while let Some(model) = console.hear(&prompt, "").await? {
        let model = match model.trim() {
            "" if scripted => SCRIPTED,
            "" => continue,
            model => model,
        };
        match made(api, model, wish).await {
            Ok(agent) => return Ok(Some(agent)),
            Err(error) => console.screen.line(Look::Red, 0, &format!("{error:#}"))?,
        }
    }
    Ok(None)
}

/// Whether a model's answers stand in a file.
pub(super) fn is_scripted(providers: &[Provider], model: &str) -> bool {
    let (provider, name) = model.split_once('/').unwrap_or((model, ""));
    let provider = providers.iter().find(|known| known.name == provider);
    provider.is_some_and(|known| known.url.is_none() && known.models.iter().any(|known| known == name))
}

/// Models, a line each.
fn askable(providers: &[Provider]) -> String {
    let lines = providers.iter().flat_map(|Provider { name, url, models, .. }| {
        let known = models
            .iter()
            .map(move |model| format!("  {name}/{model}  (scripted: its answers stand in a file)"));
        let any = url.as_ref().map(|url| format!("  {name}/…  (at {url})"));
        known.chain(any)
    });
    let lines: Vec<_> = lines.collect();
    if lines.is_empty() { "  none: no provider has a key".to_owned() } else { lines.join("\n") }
}

//! The results of tool calls, as a branch sees them.
//!
//! A call's record names the result that its own conversation gave it. A branch that shares the call may
//! have left before that result, or given one of its own: what it shows is looked up along its history.

use std::collections::HashMap;

use crate::{
    model::{ConversationId, conversation::History, message::Message},
    service::ServiceResult,
    store::{Store, keyspace},
};

/// Sets the results of shared calls to those that each history holds: one call to the engine, or none
/// where nothing is shared.
pub(super) async fn resolve(store: &Store, shown: Vec<(&History, &mut [Message])>) -> ServiceResult<()> {
    let keys: Vec<_> = shown
        .iter()
        .flat_map(|(history, messages)| messages.iter().map(move |message| (*history, message)))
        .flat_map(|(history, message)| {
            let calls = message.tool_calls.iter();
            calls.flat_map(move |call| candidates(history, message, &call.call_id))
        })
        .collect();
    if keys.is_empty() {
        return Ok(());
    }
    let found = store.get_many(keyspace::TOOL_RESULT, &keys).await?;
    let found: HashMap<_, _> =
        keys.into_iter().zip(found).filter_map(|(key, result)| Some((key, result?))).collect();
    for (history, messages) in shown {
        for message in messages.iter_mut().filter(|message| is_shared(history, message)) {
            let chain: Vec<_> = chain(history, message.conversation_id).collect();
            for call in &mut message.tool_calls {
                let results = chain.iter().filter_map(|holder| {
                    let result = found.get(&(*holder, call.call_id.clone()))?;
                    history.holds(*holder, result.ordinal).then_some(result.message_id)
                });
                call.result_message_id = results.into_iter().next();
            }
        }
    }
    Ok(())
}

/// Where the result of a shared message's call can be.
fn candidates(history: &History, message: &Message, call_id: &str) -> Vec<(ConversationId, String)> {
    if !is_shared(history, message) {
        return Vec::new();
    }
    chain(history, message.conversation_id).map(|holder| (holder, call_id.to_owned())).collect()
}

/// Whether the message belongs to an ancestor.
fn is_shared(history: &History, message: &Message) -> bool {
    history.conversation_id() != message.conversation_id
}

/// The conversations from the history's own back to `holder`.
fn chain(history: &History, holder: ConversationId) -> impl Iterator<Item = ConversationId> {
    let mut passed = false;
    history.segments().map(|part| part.conversation_id).take_while(move |id| {
        let goes_on = !passed;
        passed = *id == holder;
        goes_on
    })
}

//! A decision of another service's, where the configuration names one: asked on the way, within a limit, and done without
//! when it is late, wrong or hostile. Our own decision stands behind it and holds it to our rails.

use super::{Layers, Pipeline};
use crate::json::json;
use crate::ports::Clock;
use crate::proxy::{Proxy, Unheard};
use crate::router::{Decision, Question};

/// The decision that counts: theirs where it is any good, else our own.
pub(super) async fn consult<L: Layers>(pipeline: &Pipeline<L>, question: &Question, own: Decision) -> Decision {
    let proxy = pipeline.layers.proxy();
    // Where there is one way only, nobody need be asked.
    if !proxy.consults() || own.plan.len() < 2 {
        return own;
    }
    let problem = match proxy.consult(question.json()).await {
        Ok(answer) => {
            let theirs = own.reordered(&answer);
            proxy.judged(theirs.is_some());
            match theirs {
                Some(theirs) => return theirs,
                None => "no_decision",
            }
        }
        // Said once when it began.
        Err(Unheard::Resting) => return own,
        Err(unheard) => unheard.as_str(),
    };
    pipeline.layers.clock().log(&json!({ "event": "router_remote", "problem": problem }).to_string());
    own
}

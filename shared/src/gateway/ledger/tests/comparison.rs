//! The machine against the plainest bookkeeping there is, over endless mixed traffic.

use super::reference::{Reference, State};
use crate::gateway::ledger::spec::{commands, lending_commands};
use crate::gateway::ledger::*;
use crate::units::{Millis, Timestamp};
use proptest::prelude::*;

proptest! {
    #[test]
    fn the_machine_keeps_the_books_a_list_of_everything_would(seed: u64, lends: bool) {
        let (mut ledger, mut reference) = (Ledger::new(), Reference::default());
        for command in if lends { lending_commands(seed, 250) } else { commands(seed, 250) } {
            reference.now = reference.now.max(command.now().0);
            match (ledger.apply(vec![command.clone()]).remove(0), command) {
                (Reply::Verdict(verdict), Command::Admit(admit)) => {
                    let expected = reference.admit(&admit);
                    match verdict {
                        Verdict::Admitted(admission) => {
                            prop_assert_eq!(Ok(Some(admission.granted.0)), expected);
                            for state in &admission.budgets {
                                let charge = Charge { scope: state.scope.clone(), window: state.window };
                                prop_assert_eq!(state.spent.0, reference.spent(&charge));
                            }
                        }
                        Verdict::Denied(Denial::Over) => prop_assert_eq!(expected, Err(())),
                        Verdict::Denied(Denial::Budget(_)) => prop_assert_eq!(expected, Ok(None)),
                        Verdict::Denied(Denial::Rate { retry_after, rate, .. }) => {
                            prop_assert_eq!(expected, Ok(None));
                            prop_assert!(retry_after != Some(Millis(0)) && rate.remaining <= rate.limit);
                        }
                    }
                }
                (Reply::Settled(settled), Command::Settle(settle)) => prop_assert_eq!(settled, reference.settle(&settle)),
                (Reply::Settled(settled), Command::Void(void)) => prop_assert_eq!(settled, reference.void(&void)),
                (Reply::Report(standings), Command::Report(report)) => {
                    for Standing { scope, window, posted, held, unconfirmed, purse: _ } in standings {
                        prop_assert!(report.covers(&scope));
                        let sums = reference.standing(&Charge { scope, window });
                        prop_assert_eq!((posted.0, held.0, unconfirmed.0), sums);
                    }
                }
                (Reply::Expired(next), Command::Expire(_)) => {
                    let open = reference.entries.iter().filter_map(|entry| match entry.state {
                        State::Open { until } if until > reference.now => Some(Timestamp(until)),
                        State::Open { .. } | State::Settled { .. } | State::Voided { .. } => None,
                    });
                    prop_assert_eq!(next, open.min());
                }
                (Reply::Rates(rates), Command::Rates(_)) => {
                    prop_assert!(rates.iter().all(|draw| draw.cost > 0 || draw.tat > reference.now * 1_000));
                    prop_assert!(rates.is_sorted_by_key(|draw| &draw.key));
                }
                (reply, command) => panic!("{command:?} is not answered by {reply:?}"),
            }
        }
    }
}

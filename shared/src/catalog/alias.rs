//! Other names of models that the table lists under one.

/// Names under which the facts of `id` (`provider:model`) may be listed, the nearest first.
///
/// A dated snapshot (`-2026-03-05`, `-20260305`) and `-latest` share the facts of the plain name; a
/// fine-tune (`ft:base:org:name:id`) those of its base; what a reseller calls `maker/model` has the
/// maker's facts, though not its price.
pub(super) fn aliases(provider: &str, model: &str) -> Vec<Alias> {
    let plain = [without_date(model), model.strip_suffix("-latest"), without_maker_prefix(provider, model)];
    let same = plain.into_iter().flatten().map(|model| Alias { id: format!("{provider}:{model}"), same_price: true });
    let tuned = fine_tune_base(model).map(|base| Alias { id: format!("{provider}:ft:{base}"), same_price: true });
    let resold = model.split_once('/').map(|(maker, model)| Alias { id: format!("{maker}:{model}"), same_price: false });
    same.chain(tuned).chain(resold).collect()
}

/// Another name of a model.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Alias {
    pub(super) id: String,
    /// Whether the price is the same too.
    pub(super) same_price: bool,
}

/// The name without a date at its end, if it has one.
pub(super) fn without_date(model: &str) -> Option<&str> {
    const SHAPES: [&[u8]; 2] = [b"-dddd-dd-dd", b"-dddddddd"];
    SHAPES.iter().find_map(|shape| {
        let (base, tail) = model.split_at_checked(model.len().checked_sub(shape.len())?)?;
        let fits = |(byte, want): (u8, &u8)| if *want == b'd' { byte.is_ascii_digit() } else { byte == *want };
        (!base.is_empty() && tail.bytes().zip(shape.iter()).all(fits)).then_some(base)
    })
}

/// `openai/gpt-5.4` asked of `openai` itself.
fn without_maker_prefix<'m>(provider: &str, model: &'m str) -> Option<&'m str> {
    model.strip_prefix(provider)?.strip_prefix('/')
}

fn fine_tune_base(model: &str) -> Option<&str> {
    model.strip_prefix("ft:")?.split_once(':').map(|(base, _)| base)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_at_the_end_is_taken_off_and_nothing_else_is() {
        for (model, want) in [
            ("gpt-5.4-2026-03-05", Some("gpt-5.4")),
            ("claude-opus-4-5-20251101", Some("claude-opus-4-5")),
            ("gpt-5.4", None),
            ("20251101", None),
            ("-20251101", None),
            ("gpt-2026-03-0x", None),
            ("mistral-large-2512", None),
        ] {
            assert_eq!(without_date(model), want, "{model}");
        }
    }

    #[test]
    fn a_fine_tune_has_its_base_and_a_resold_model_its_maker() {
        let ids = |provider, model| aliases(provider, model).into_iter().map(|alias| (alias.id, alias.same_price)).collect::<Vec<_>>();
        assert_eq!(ids("openai", "ft:gpt-4o-2024-08-06:acme::x"), [("openai:ft:gpt-4o-2024-08-06".to_owned(), true)]);
        assert_eq!(ids("openrouter", "openai/gpt-5.4"), [("openai:gpt-5.4".to_owned(), false)]);
        assert_eq!(ids("openai", "gpt-5.4"), []);
    }
}

//! The lexical marks of a prompt: what a scan counts, and nothing about what the counts mean.

/// Declares the marks once: the enum, their names in `lexicon.tsv`, and their order in a model.
macro_rules! marks {
    ($($(#[$doc:meta])* $mark:ident $name:literal,)+) => {
        /// Something that can be counted in a text by its bytes and words alone.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Mark { $($(#[$doc])* $mark,)+ }

        impl Mark {
            /// All of them, in the order of a model's coefficients. A new one goes to the end.
            pub const ALL: &'static [Mark] = &[$(Mark::$mark,)+];
            /// How many there are.
            pub const COUNT: usize = Mark::ALL.len();

            /// The name in the lexicon and in a model's card.
            pub fn name(self) -> &'static str {
                match self { $(Mark::$mark => $name,)+ }
            }
        }
    };
}

marks! {
    /// Bytes of the sample.
    Bytes "bytes",
    /// Words: runs of letters.
    Words "words",
    /// Words of eight letters and more.
    LongWords "long_words",
    /// Words written in capitals throughout, of two letters and more.
    Shouted "shouted",
    /// Words that begin with a capital.
    Capitalised "capitalised",
    /// Lines.
    Lines "lines",
    /// Lines that begin with spaces or a tab.
    Indented "indented",
    /// Lines that begin as an item of a list.
    Items "items",
    /// Lines that begin as one of several answers to choose from: `A.`, `(b)`, `C)`.
    Choices "choices",
    /// Ends of sentences.
    Sentences "sentences",
    /// Question marks.
    Questions "questions",
    /// Commas and colons.
    Clauses "clauses",
    /// Quotation marks.
    Quotes "quotes",
    /// Gaps to fill in: three underscores and more.
    Gaps "gaps",
    /// Runs of digits.
    Numbers "numbers",
    /// Runs of four digits and more.
    LargeNumbers "large_numbers",
    /// Numbers with decimals.
    Decimals "decimals",
    /// Signs of money and per cent.
    Amounts "amounts",
    /// `+ * / ^ = < >`.
    Operators "operators",
    /// Backslashes, as in TeX.
    Backslashes "backslashes",
    /// Braces, brackets, semicolons.
    Brackets "brackets",
    /// Parentheses.
    Parentheses "parentheses",
    /// Fences of three backticks.
    Fences "fences",
    /// Names as programs spell them: `snake_case`, `camelCase`, `call(`, `a.b`.
    Identifiers "identifiers",
    /// Bytes outside ASCII.
    Foreign "foreign",
    /// English function words that hardly any other language shares.
    English "english",
    /// Words that ask for a fact.
    FactWords "fact",
    /// Words that ask for an account: why, how.
    WhyWords "why",
    /// Verbs of a task.
    TaskWords "task",
    /// Words of writing: essay, poem, email.
    WritingWords "writing",
    /// Words of taking out and rearranging: extract, summarise, classify.
    ExtractionWords "extraction",
    /// Words of translating, and languages.
    TranslationWords "translation",
    /// Words of programs.
    CodeWords "code",
    /// Words of mathematics.
    MathWords "math",
    /// Words of word problems: each, total, remaining, twice.
    QuantityWords "quantity",
    /// Words of deduction: suppose, therefore, if.
    ReasoningWords "reasoning",
    /// Words that bind an answer: must, exactly, without.
    ConstraintWords "constraint",
    /// Negations.
    NegationWords "negation",
    /// Words of play and persona.
    PersonaWords "persona",
    /// Words of small talk.
    ChatWords "chat",
    /// Words of law.
    LawWords "law",
    /// Words of medicine.
    MedicineWords "medicine",
    /// Words of physics, chemistry, engineering.
    ScienceWords "science",
    /// Words of money and markets.
    BusinessWords "business",
    /// Words of societies, history, minds.
    SocietyWords "society",
    /// Personal pronouns: people are being told of.
    PeopleWords "people",
}

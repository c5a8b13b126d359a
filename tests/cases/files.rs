// The files of cases, sorted: one test each, on every level.
files! {
    chat_text
}

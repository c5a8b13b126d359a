// The files of cases, sorted: one test each, on every level.
files! {
    cache_control
    chat_text
    finish_reasons
    images
    parameters
    reasoning
    structured_output
    tools
    usage
}

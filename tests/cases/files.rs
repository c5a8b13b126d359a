// The files of cases, sorted: one test each, on every level.
files! {
    admin
    auth
    bad_input
    cache_control
    caller_leaves
    chat_text
    config
    envelope
    finish_reasons
    gemini
    images
    limits
    parameters
    reasoning
    responses
    routing
    stores
    stream_errors
    structured_output
    timeouts
    tools
    upstream_errors
    usage
}

//! Every route of the admin plane with every role, and with none: who may is what the table says, and nothing else.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use serde_json::{Value, json};
use signalbox::gateway::Role;
use signalbox::gateway::admin::{PREFIX, ROUTES};
use signalbox_tests::suite::console;
use signalbox_tests::suite::document::ADMIN_KEY;
use signalbox_tests::suite::in_process::InProcess;
use signalbox_tests::suite::level::{Answer, Call, Level};
use signalbox_tests::virtual_time::Options;
use std::collections::BTreeMap;
use std::future::Future;

fn gateway() -> InProcess {
    InProcess::new(Options::default(), &BTreeMap::new())
}

fn run<T: 'static>(level: &InProcess, future: impl Future<Output = T>) -> T {
    level.world().executor().run(future).unwrap()
}

async fn ask(level: &InProcess, credential: Option<&str>, method: &str, path: &str, body: Value) -> Answer {
    let headers = credential.map(|credential| ("authorization".to_owned(), format!("Bearer {credential}")));
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    let call = Call {
        method: method.to_owned(),
        path: path.to_owned(),
        headers: headers.into_iter().collect(),
        body,
        leave: None,
    };
    level.call(call).await.unwrap()
}

async fn key(level: &InProcess, roles: &[Role]) -> String {
    let body = json!({ "name": "k", "roles": roles });
    let made = ask(level, Some(ADMIN_KEY), "POST", "/admin/v1/keys", body).await;
    serde_json::from_slice::<Value>(&made.body).unwrap()["key"].as_str().unwrap().to_owned()
}

#[test]
fn fault_1_and_3_every_route_is_open_to_its_roles_and_to_nobody_else() {
    let level = gateway();
    let problems = run(&level, async {
        let mut problems = Vec::new();
        let mut callers: Vec<(Option<Role>, String)> = Vec::new();
        for role in Role::ALL {
            callers.push((Some(role), key(&level, &[role]).await));
        }
        callers.push((None, key(&level, &[]).await));
        for route in ROUTES {
            // A thing that is not there: what may is seen by what is answered before it is looked for.
            let path = format!("{PREFIX}{}", route.path.replace(['{', '}'], ""));
            for (role, credential) in &callers {
                let answer = ask(&level, Some(credential), route.method, &path, Value::Null).await;
                let may = role.is_some_and(|role| route.roles.contains(&role));
                if (answer.status == 403) == may || answer.status == 401 || answer.status >= 500 {
                    problems.push(format!("{} {path} as {role:?}: {}", route.method, answer.status));
                }
            }
            let wrong = format!("{ADMIN_KEY}x");
            for credential in [None, Some(""), Some(wrong.as_str()), Some("sk-sb-unknown")] {
                let answer = ask(&level, credential, route.method, &path, Value::Null).await;
                if answer.status != 401 {
                    problems.push(format!("{} {path} with {credential:?}: {}", route.method, answer.status));
                }
            }
        }
        problems
    });
    assert_eq!(problems, Vec::<String>::new());
}

#[test]
fn every_route_is_open_to_a_session_of_its_roles_sent_by_our_own_page_and_to_no_other() {
    // Among the routes is one that takes the stored document away: then the binding's is in force.
    let document = console::document("http://127.0.0.1:4000").to_string();
    let bindings = BTreeMap::from([("SIGNALBOX_CONFIG".to_owned(), Some(document))]);
    let level = InProcess::new(Options::default(), &bindings);
    let problems = run(&level, async {
        console::prepare(&level).await.unwrap();
        let mut problems = Vec::new();
        let people = Role::ALL.into_iter().map(Some).chain([None]);
        for role in people {
            let roles: Vec<Role> = role.into_iter().collect();
            let browser = console::sign_in(&level, "ada", &json!(roles)).await.unwrap();
            let (cookie, csrf) =
                (("cookie", browser.cookie.as_str()), ("x-signalbox-csrf", browser.csrf_token.as_str()));
            for route in ROUTES {
                let path = format!("{PREFIX}{}", route.path.replace(['{', '}'], ""));
                let ours = [cookie, csrf, ("origin", console::PUBLIC_URL)];
                let answer = console::ask(&level, route.method, &path, &ours).await.unwrap();
                let may = role.is_some_and(|role| route.roles.contains(&role));
                if (answer.status == 403) == may || answer.status == 401 || answer.status >= 500 {
                    problems.push(format!("{} {path} as {role:?}: {}", route.method, answer.status));
                }
                let theirs = [cookie, csrf, ("origin", "https://evil.example")];
                let answer = console::ask(&level, route.method, &path, &theirs).await.unwrap();
                if answer.status != 403 {
                    problems.push(format!("{} {path} from elsewhere: {}", route.method, answer.status));
                }
            }
        }
        problems
    });
    assert_eq!(problems, Vec::<String>::new());
}

#[test]
fn several_roles_open_what_each_of_them_does() {
    let level = gateway();
    let statuses = run(&level, async {
        let both = key(&level, &[Role::Billing, Role::Auditor]).await;
        let mut statuses = Vec::new();
        for path in ["/admin/v1/budgets", "/admin/v1/config", "/admin/v1/users"] {
            statuses.push(ask(&level, Some(&both), "GET", path, Value::Null).await.status);
        }
        statuses
    });
    assert_eq!(statuses, [200, 200, 403]);
}

//! Lists of names, and hierarchies whose names are listed first.
#![allow(clippy::unwrap_used, reason = "a test may fail that way")]

use causeway_secrets::{HierarchyPlan, ParameterQuery, ReadError, Reading, read};
use causeway_types::ServiceErrorKind;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

mod support;
use support::store::Store;
use support::{Aws, refusal};

fn names(texts: &[&str]) -> ParameterQuery {
    ParameterQuery::names(texts.iter().map(|text| text.parse().unwrap()).collect())
}

fn below(paths: &[&str], recursive: bool, plan: HierarchyPlan) -> ParameterQuery {
    ParameterQuery::hierarchy(paths.iter().map(|path| path.parse().unwrap()).collect(), recursive, plan)
}

fn read_names(reading: &Reading) -> Vec<String> {
    reading.parameters.iter().map(|parameter| parameter.name.clone()).collect()
}

async fn serving(store: &Store) -> Aws {
    let store = store.clone();
    Aws::start(move |operation, body| store.answer(operation, body)).await
}

#[tokio::test]
async fn a_list_comes_in_its_own_order_by_tens() {
    let mut wanted: Vec<String> = (0..25).map(|number| format!("/a/{}", (number * 7) % 25)).collect();
    let aws = serving(&Store::of(wanted.iter().cloned())).await;
    wanted.push(wanted[3].clone());
    let texts: Vec<&str> = wanted.iter().map(String::as_str).collect();
    assert_eq!(read_names(&read(&aws.config(), &names(&texts)).await.unwrap()), wanted);
    assert_eq!(aws.operations(), ["GetParameters"; 3]);
}

#[tokio::test]
async fn versions_labels_and_arns_find_their_answers() {
    const ARN: &str = "arn:aws:ssm:eu-west-1:999999999999:parameter/a";
    let aws = Aws::start(|_, body| {
        let answer = |wanted: &Value| {
            let wanted = wanted.as_str().unwrap();
            let (name, selector) = match wanted.strip_prefix("arn:") {
                Some(_) => (wanted, ""),
                None => wanted.split_at(wanted.find(':').unwrap_or(wanted.len())),
            };
            json!({ "Name": name, "Type": "String", "Value": wanted, "Version": 1, "Selector": selector })
        };
        let mut answers: Vec<Value> = body["Names"].as_array().unwrap().iter().map(answer).collect();
        answers.reverse();
        (200, json!({ "Parameters": answers, "InvalidParameters": [] }))
    })
    .await;
    let wanted = ["/a:1", "/b", "/a:live", ARN, "/a"];
    let reading = read(&aws.config(), &names(&wanted)).await.unwrap();
    let values: Vec<&str> =
        reading.parameters.iter().map(|parameter| parameter.value.expose_secret()).collect();
    assert_eq!(values, wanted);
    assert_eq!(read_names(&reading), ["/a", "/b", "/a", ARN, "/a"]);
}

#[tokio::test]
async fn everything_that_is_missing_stands_in_one_error() {
    let aws = serving(&Store::of((0..30).map(|number| format!("/a/{number}")))).await;
    let mut wanted: Vec<String> = (0..30).map(|number| format!("/a/{number}")).collect();
    wanted[2] = "/gone/one".to_owned();
    wanted[27] = "/gone/two:9".to_owned();
    let texts: Vec<&str> = wanted.iter().map(String::as_str).collect();
    let error = read(&aws.config(), &names(&texts)).await.unwrap_err();
    assert!(matches!(error, ReadError::Missing { .. }));
    let text = error.to_string();
    for words in ["\"/gone/one\"", "\"/gone/two:9\"", "eu-west-1"] {
        assert!(text.contains(words), "{text}");
    }
    assert!(!text.contains("/a/3"));
}

#[tokio::test]
async fn a_refused_call_of_several_names_them() {
    let aws = Aws::start(|_, _| refusal("AccessDeniedException", "not authorized: ssm:GetParameters")).await;
    let error = read(&aws.config(), &names(&["/a", "/b"])).await.unwrap_err();
    assert!(error.to_string().contains("/a") && error.to_string().contains("/b"), "{error}");
    assert_eq!(error.service_error().unwrap().code(), Some("AccessDeniedException"));
}

#[tokio::test]
async fn an_answer_that_leaves_a_name_out_is_an_error() {
    let aws = Aws::start(|_, _| (200, json!({ "Parameters": [] }))).await;
    let error = read(&aws.config(), &names(&["/a", "/b"])).await.unwrap_err();
    assert!(matches!(&error, ReadError::NoValue(name) if name == "/a"), "{error}");
}

#[tokio::test]
async fn several_paths_that_overlap_bring_each_parameter_once() {
    let all = ["/a/x", "/a/b/y", "/a/b/c/z", "/d/w", "/e/no"];
    let aws = serving(&Store::of(all.map(str::to_owned))).await;
    let query = below(&["/a", "/a/b", "/d"], true, HierarchyPlan::Pages);
    let reading = read(&aws.config(), &query).await.unwrap();
    assert_eq!(read_names(&reading), ["/a/b/c/z", "/a/b/y", "/a/x", "/d/w"]);
}

/// Trees that are hard to divide: one long way, names that are ways too, everything in one place, all characters.
fn trees() -> Vec<Vec<String>> {
    let letters = "0123456789-._ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    vec![
        Vec::new(),
        vec!["/app/one".to_owned()],
        (0..400).map(|number| format!("/app/configuration/of/service/{number}")).collect(),
        letters.chars().map(|letter| format!("/app/{letter}")).collect(),
        letters
            .chars()
            .flat_map(|one| letters.chars().map(move |two| format!("/app/{one}{two}")))
            .step_by(7)
            .collect(),
        (1..300).map(|length| format!("/app/{}", "x".repeat(length))).collect(),
        (0..300)
            .map(|number| format!("/app/s{}/k{number}", number % 3))
            .chain(["/app/s".to_owned(), "/app/s1".to_owned()])
            .collect(),
    ]
}

#[tokio::test]
async fn names_listed_first_bring_what_pages_bring() {
    for tree in trees() {
        let others = ["/app", "/apple/x", "/ap", "/b/app/x"].map(str::to_owned);
        let aws = serving(&Store::of(tree.into_iter().chain(others))).await;
        for recursive in [true, false] {
            let pages =
                read(&aws.config(), &below(&["/app"], recursive, HierarchyPlan::Pages)).await.unwrap();
            let before = aws.calls().len();
            let listed =
                read(&aws.config(), &below(&["/app"], recursive, HierarchyPlan::Listed)).await.unwrap();
            assert!(listed.listing_refused.is_none());
            assert_eq!(read_names(&listed), read_names(&pages));
            let asked = aws.operations();
            assert!(asked[before..].iter().all(|operation| operation != "GetParametersByPath"), "{asked:?}");
            let quickest =
                read(&aws.config(), &below(&["/app"], recursive, HierarchyPlan::Quickest)).await.unwrap();
            assert_eq!(read_names(&quickest), read_names(&pages));
        }
    }
}

#[tokio::test]
async fn a_small_hierarchy_costs_no_call_more_and_a_large_one_little_time() {
    let away = std::time::Duration::from_millis(50);
    for (count, fewest, most) in [(20, 2, 2), (400, 45, 200)] {
        let store = Store::of((0..count).map(|number| format!("/a/{}/{number:03}", number % 8)));
        let aws = Aws::start_away(away, move |operation, body| store.answer(operation, body)).await;
        let begin = std::time::Instant::now();
        let reading = read(&aws.config(), &below(&["/a"], true, HierarchyPlan::Quickest)).await.unwrap();
        assert_eq!(reading.parameters.len(), count);
        assert!((fewest..=most).contains(&aws.calls().len()), "{:?}", aws.operations());
        // Page after page it would be 2 seconds.
        assert!(begin.elapsed() < away * 24, "{:?}", begin.elapsed());
    }
}

#[tokio::test]
async fn where_listing_is_refused_or_throttled_the_quickest_way_is_the_pages() {
    for (code, listed) in [("AccessDeniedException", 1), ("ThrottlingException", 1)] {
        let store = Store::of((0..95).map(|number| format!("/a/{number:02}")));
        let aws = Aws::start(move |operation, body| match operation {
            "DescribeParameters" => refusal(code, "no"),
            _ => store.answer(operation, body),
        })
        .await;
        let reading = read(&aws.config(), &below(&["/a"], true, HierarchyPlan::Quickest)).await.unwrap();
        assert_eq!(reading.parameters.len(), 95);
        assert!(reading.listing_refused.is_none());
        let asked = aws.operations();
        assert_eq!(asked.iter().filter(|operation| *operation == "DescribeParameters").count(), listed);
        assert_eq!(asked.iter().filter(|operation| *operation == "GetParametersByPath").count(), 10);
    }
}

#[tokio::test]
async fn where_listing_is_refused_the_pages_are_read() {
    let store = Store::of((0..35).map(|number| format!("/a/{number:02}")));
    for refused in ["DescribeParameters", "GetParameters"] {
        let store = store.clone();
        let aws = Aws::start(move |operation, body| {
            let refusal = refusal("AccessDeniedException", "not authorized");
            if operation == refused { refusal } else { store.answer(operation, body) }
        })
        .await;
        let reading = read(&aws.config(), &below(&["/a"], true, HierarchyPlan::Listed)).await.unwrap();
        assert_eq!(reading.parameters.len(), 35);
        let error = reading.listing_refused.unwrap();
        assert_eq!((error.operation(), error.kind()), (refused, ServiceErrorKind::Refused));
    }
}

#[tokio::test]
async fn a_listing_that_proves_nothing_gives_way_to_the_pages() {
    let store = Store::of((0..35).map(|number| format!("/a/{number:02}")));
    let aws = Aws::start(move |operation, body| match operation {
        // A parameter without a value.
        "GetParameters" => (200, json!({ "Parameters": [{ "Name": "/a/00" }] })),
        _ => store.answer(operation, body),
    })
    .await;
    let reading = read(&aws.config(), &below(&["/a"], true, HierarchyPlan::Listed)).await.unwrap();
    assert_eq!(reading.parameters.len(), 35);
    assert!(reading.listing_refused.is_none());
}

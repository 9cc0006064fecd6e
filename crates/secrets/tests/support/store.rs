//! Parameters that answer as Parameter Store does, written from its API reference; and quotas.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Instant;

use serde_json::{Value, json};

use super::refusal;

/// Parameters by name; the value of each is made of its name.
#[derive(Clone)]
pub(crate) struct Store(BTreeMap<String, Value>);

impl Store {
    /// A String for each name.
    pub(crate) fn of(names: impl IntoIterator<Item = String>) -> Self {
        let parameter = |name: String| {
            let value = json!({ "Name": name, "Type": "String", "Value": format!("value of {name}"), "Version": 1,
                                "ARN": format!("arn:aws:ssm:eu-west-1:123456789012:parameter{name}") });
            (name, value)
        };
        Self(names.into_iter().map(parameter).collect())
    }

    /// What the service answers; an operation that it does not have is an error of the test.
    pub(crate) fn answer(&self, operation: &str, body: &Value) -> (u16, Value) {
        match operation {
            "GetParameters" => self.get_parameters(body),
            "GetParametersByPath" => {
                let path = format!("{}/", body["Path"].as_str().unwrap().trim_end_matches('/'));
                let recursive = body["Recursive"].as_bool().unwrap();
                let below = |name: &str| {
                    let rest = name.strip_prefix(&path);
                    rest.is_some_and(|rest| recursive || !rest.contains('/'))
                };
                page(self.0.iter().filter(|(name, _)| below(name)).map(|(_, value)| value.clone()), body, 10)
            }
            "DescribeParameters" => {
                let [filter] = &body["ParameterFilters"].as_array().unwrap()[..] else {
                    panic!("one filter")
                };
                assert_eq!((&filter["Key"], &filter["Option"]), (&json!("Name"), &json!("BeginsWith")));
                let values = filter["Values"].as_array().unwrap();
                assert!((1..=50).contains(&values.len()));
                let wanted =
                    |name: &str| values.iter().any(|value| name.starts_with(value.as_str().unwrap()));
                let names = self.0.keys().filter(|name| wanted(name));
                page(names.map(|name| json!({ "Name": name, "Version": 1 })), body, 50)
            }
            other => panic!("{other} is not expected"),
        }
    }

    fn get_parameters(&self, body: &Value) -> (u16, Value) {
        let names: Vec<&str> =
            body["Names"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        assert!((1..=10).contains(&names.len()));
        assert!(names.iter().all(|name| !name.ends_with('/')), "SSM refuses such names: {names:?}");
        let (known, unknown): (Vec<&str>, Vec<&str>) =
            names.into_iter().partition(|name| self.0.contains_key(*name));
        let found: Vec<&Value> = known.into_iter().map(|name| &self.0[name]).collect();
        (200, json!({ "Parameters": found, "InvalidParameters": unknown }))
    }
}

fn page(all: impl Iterator<Item = Value>, body: &Value, most: u64) -> (u16, Value) {
    let size = body["MaxResults"].as_u64().unwrap();
    assert!(size <= most);
    let start: usize = body["NextToken"].as_str().map_or(0, |token| token.parse().unwrap());
    let mut rest = all.skip(start);
    let parameters: Vec<Value> = rest.by_ref().take(size as usize).collect();
    let mut answer = json!({ "Parameters": parameters });
    if rest.next().is_some() {
        answer["NextToken"] = json!((start + size as usize).to_string());
    }
    (200, answer)
}

/// How many calls a second are allowed.
pub(crate) enum Quota {
    /// A bucket that holds so many and fills at the rate.
    Bucket { rate: f64, level: Mutex<(f64, Instant)>, size: f64 },
    /// So many in each second of the clock.
    Window { rate: u32, used: Mutex<(u64, u32)>, start: Instant },
}

impl Quota {
    pub(crate) fn bucket(rate: f64, size: f64) -> Self {
        Self::Bucket { rate, size, level: Mutex::new((size, Instant::now())) }
    }

    pub(crate) fn window(rate: u32) -> Self {
        Self::Window { rate, used: Mutex::new((0, 0)), start: Instant::now() }
    }

    /// The refusal of a call that is one too many.
    pub(crate) fn refuse(&self) -> Option<(u16, Value)> {
        let allowed = match self {
            Self::Bucket { rate, level, size } => {
                let mut level = level.lock().unwrap();
                let now = Instant::now();
                let filled = (level.0 + (now - level.1).as_secs_f64() * rate).min(*size);
                let allowed = filled >= 1.0;
                *level = (if allowed { filled - 1.0 } else { filled }, now);
                allowed
            }
            Self::Window { rate, used, start } => {
                let mut used = used.lock().unwrap();
                let second = start.elapsed().as_secs();
                let count = if used.0 == second { used.1 } else { 0 };
                *used = (second, count + 1);
                count < *rate
            }
        };
        (!allowed).then(|| refusal("ThrottlingException", "Rate exceeded"))
    }
}

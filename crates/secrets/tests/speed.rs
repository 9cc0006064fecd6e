//! How many parameters a second, 20 ms away and under quotas. Ratios are of one run; `--nocapture` shows the figures.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test may fail that way, and tells its figures"
)]

use std::time::{Duration, Instant};

use causeway_secrets::{HierarchyPlan, ParameterQuery, Reading, read};
use secrecy::ExposeSecret;

mod support;
use support::Aws;
use support::store::{Quota, Store};

const AWAY: Duration = Duration::from_millis(20);

/// One at a time: they measure.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// 1,000 parameters in 20 sub-paths.
fn tree() -> Vec<String> {
    (0..1000).map(|number| format!("/shop/area-{:02}/item-{:02}", number / 50, number % 50)).collect()
}

fn hierarchy(paths: &[String], plan: HierarchyPlan) -> ParameterQuery {
    ParameterQuery::hierarchy(paths.iter().map(|path| path.parse().unwrap()).collect(), true, plan)
}

fn by_name(names: &[String]) -> ParameterQuery {
    ParameterQuery::names(names.iter().map(|name| name.parse().unwrap()).collect())
}

fn assert_whole(reading: &Reading, names: &[String]) {
    let read: Vec<&str> = reading.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
    assert_eq!(read, names);
    let right =
        |parameter: &causeway_secrets::Parameter| parameter.value.expose_secret().ends_with(&parameter.name);
    assert!(reading.parameters.iter().all(right));
}

/// Reads and says how long it took; connections are warm, as they are after the call for the identity.
async fn timed(aws: &Aws, query: &ParameterQuery, names: &[String]) -> Duration {
    let config = aws.patient_config();
    let before = aws.calls().len();
    let start = Instant::now();
    let reading = read(&config, query).await.unwrap();
    let took = start.elapsed();
    assert_whole(&reading, names);
    assert!(reading.listing_refused.is_none());
    println!("  {:6.0} ms, {:4} calls", took.as_secs_f64() * 1e3, aws.calls().len() - before);
    took
}

async fn away(names: &[String]) -> Aws {
    let store = Store::of(names.iter().cloned());
    Aws::start_away(AWAY, move |operation, body| store.answer(operation, body)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_parameters_in_twenty_sub_paths() {
    let _alone = ALONE.lock().await;
    let names = tree();
    let aws = away(&names).await;
    println!("1,000 parameters in 20 sub-paths, 20 ms away");
    println!("page after page:");
    let pages = timed(&aws, &hierarchy(&["/shop".to_owned()], HierarchyPlan::Pages), &names).await;
    println!("names listed first:");
    let listed = timed(&aws, &hierarchy(&["/shop".to_owned()], HierarchyPlan::Listed), &names).await;
    println!("the quickest of both, as nothing else is asked for:");
    let quickest = timed(&aws, &hierarchy(&["/shop".to_owned()], HierarchyPlan::Quickest), &names).await;
    println!("the sub-paths given as lines:");
    let paths: Vec<String> = (0..20).map(|area| format!("/shop/area-{area:02}")).collect();
    let lines = timed(&aws, &hierarchy(&paths, HierarchyPlan::Pages), &names).await;
    let ratio = |other: Duration| pages.as_secs_f64() / other.as_secs_f64();
    println!(
        "ratios: listed {:.1}, quickest {:.1}, lines {:.1}",
        ratio(listed),
        ratio(quickest),
        ratio(lines)
    );
    // The figure to hold is 5 for each; a debug build on a busy machine computes more than it waits.
    assert!(ratio(listed) > 2.5 && ratio(quickest) > 2.5 && ratio(lines) > 2.5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_by_name() {
    let _alone = ALONE.lock().await;
    let names = tree()[..500].to_vec();
    let aws = away(&names).await;
    println!("500 parameters by name, 20 ms away");
    println!("by tens, one call after the other:");
    let start = Instant::now();
    let config = aws.config();
    for ten in names.chunks(10) {
        assert_whole(&read(&config, &by_name(ten)).await.unwrap(), ten);
    }
    let one_by_one = start.elapsed();
    println!("  {:6.0} ms", one_by_one.as_secs_f64() * 1e3);
    println!("side by side:");
    let together = timed(&aws, &by_name(&names), &names).await;
    let ratio = one_by_one.as_secs_f64() / together.as_secs_f64();
    println!("ratio {ratio:.1}");
    // The figure to hold is 10.
    assert!(ratio > 2.5);
}

/// Reads under a quota of 40 calls a second; answers how much longer it took than the calls need that were answered.
async fn throttled(quota: Quota, spare: f64, query: &ParameterQuery, names: &[String]) -> f64 {
    let store = Store::of(names.iter().cloned());
    let aws = Aws::start_away(AWAY, move |operation, body| {
        quota.refuse().unwrap_or_else(|| store.answer(operation, body))
    })
    .await;
    let took = timed(&aws, query, names).await;
    #[allow(clippy::cast_precision_loss, reason = "a few hundred")]
    let fewest = names.len().div_ceil(10) as f64;
    let ratio = took.as_secs_f64() / ((fewest - spare) / 40.0);
    println!("  {ratio:.2} times what the quota needs for {fewest} calls");
    ratio
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quota_of_forty_a_second_is_used_up_and_not_overrun() {
    let _alone = ALONE.lock().await;
    let names = tree()[..600].to_vec();
    let paths: Vec<String> = (0..12).map(|area| format!("/shop/area-{area:02}")).collect();
    for (kind, query) in
        [("by name", by_name(&names)), ("sub-paths as lines", hierarchy(&paths, HierarchyPlan::Pages))]
    {
        println!("{kind}, a bucket of 40:");
        let bucket = throttled(Quota::bucket(40.0, 40.0), 0.0, &query, &names).await;
        println!("{kind}, no bucket:");
        let strict = throttled(Quota::bucket(40.0, 1.0), 1.0, &query, &names).await;
        println!("{kind}, a window of a second:");
        let window = throttled(Quota::window(40), 0.0, &query, &names).await;
        assert!(bucket < 1.3 && strict < 1.6 && window < 1.3, "{kind}: {bucket} {strict} {window}");
    }
    let whole = |plan| hierarchy(&["/shop".to_owned()], plan);
    println!("the quickest way, a bucket of 40:");
    let bucket = throttled(Quota::bucket(40.0, 40.0), 0.0, &whole(HierarchyPlan::Quickest), &names).await;
    println!("the quickest way, a window of a second:");
    let window = throttled(Quota::window(40), 0.0, &whole(HierarchyPlan::Quickest), &names).await;
    assert!(bucket < 1.3 && window < 1.3, "{bucket} {window}");
    println!("names listed first, which costs calls of its own, a bucket of 40:");
    throttled(Quota::bucket(40.0, 40.0), 0.0, &whole(HierarchyPlan::Listed), &names).await;
}

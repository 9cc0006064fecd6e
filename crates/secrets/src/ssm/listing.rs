use std::collections::{BTreeSet, HashSet};

use aws_sdk_ssm::operation::describe_parameters::DescribeParametersOutput;
use aws_sdk_ssm::operation::get_parameters::GetParametersOutput;
use aws_sdk_ssm::types::ParameterStringFilter;
use causeway_types::ServiceError;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};

use super::Reader;
use super::batch::BATCH;
use super::cells::Cell;
use super::hierarchy::{Found, keep_newest};
use crate::{Parameter, ParameterPath};

/// The most names that one `DescribeParameters` answers (Systems Manager API reference).
const PAGE_SIZE: i32 = 50;

/// Dividing pays only while it saves more round trips than it costs calls: beside the pages that the names fill anyway,
/// so many calls may be spent on it.
const SPARE_CALLS: usize = 48;

/// What a call of the listing brought.
enum Event {
    Page(Cell, Result<DescribeParametersOutput, ServiceError>),
    Values(usize, Result<GetParametersOutput, ServiceError>),
}

/// A hierarchy that is being listed and read at once.
struct Listing<'a> {
    reader: &'a Reader,
    path: &'a ParameterPath,
    recursive: bool,
    calls: FuturesUnordered<BoxFuture<'a, Event>>,
    pages_under_way: usize,
    pages_asked: usize,
    names: BTreeSet<String>,
    tokens: HashSet<(Cell, String)>,
    to_read: Vec<String>,
    found: Found,
    /// Whether all answers fit together; if not, nothing is proven.
    sound: bool,
}

impl Reader {
    /// Lists the names below the path, in parts side by side, and reads values by tens as names come in.
    ///
    /// `DescribeParameters` says for each part when it has no more, so that together they prove that no name is missing.
    /// A parameter that is gone between the two calls is left out, as a page read later would leave it out. `None` when
    /// the answers do not prove it: a page token came twice, or a parameter without a value.
    pub(super) async fn listed(
        &self,
        path: &ParameterPath,
        recursive: bool,
    ) -> Result<Option<Found>, ServiceError> {
        let mut listing = Listing {
            reader: self,
            path,
            recursive,
            calls: FuturesUnordered::new(),
            pages_under_way: 0,
            pages_asked: 0,
            names: BTreeSet::new(),
            tokens: HashSet::new(),
            to_read: Vec::new(),
            found: Found::new(),
            sound: true,
        };
        listing.ask_page(Cell::of(below(path)), None);
        while let Some(event) = listing.calls.next().await {
            match event {
                Event::Page(cell, page) => listing.take_page(cell, page?),
                Event::Values(asked, answer) => listing.take_values(asked, answer?),
            }
            listing.ask_values();
        }
        Ok(listing.sound.then_some(listing.found))
    }

    async fn describe(
        &self,
        cell: &Cell,
        token: Option<String>,
    ) -> Result<DescribeParametersOutput, ServiceError> {
        let filter = ParameterStringFilter::builder()
            .key("Name")
            .option("BeginsWith")
            .set_values(Some(cell.prefixes().to_vec()))
            .build();
        let request = self.client.describe_parameters().max_results(PAGE_SIZE).set_next_token(token);
        // Without a key there is no filter, and every name of the account would come.
        let request = request.set_parameter_filters(filter.ok().map(|filter| vec![filter]));
        let answer = self.pacer.call("DescribeParameters", || request.clone().send()).await;
        answer.map_err(|error| ServiceError::new("DescribeParameters", &error))
    }
}

impl Listing<'_> {
    fn take_page(&mut self, cell: Cell, page: DescribeParametersOutput) {
        self.pages_under_way -= 1;
        let names: Vec<String> =
            page.parameters.unwrap_or_default().into_iter().filter_map(|metadata| metadata.name).collect();
        names.iter().for_each(|name| self.take_name(name));
        let Some(token) = page.next_token.filter(|token| !token.is_empty()) else {
            return;
        };
        if self.reader.pacer.is_throttled() || self.pages_asked > SPARE_CALLS + self.names.len() / 25 {
            self.sound &= self.tokens.insert((cell.clone(), token.clone()));
            if self.sound {
                self.ask_page(cell, Some(token));
            }
            return;
        }
        let division = cell.divide(&names);
        // No name ends with a slash, and SSM refuses to look for one that does.
        division.exact.iter().filter(|name| !name.ends_with('/')).for_each(|name| self.take_name(name));
        division.cells.into_iter().for_each(|cell| self.ask_page(cell, None));
    }

    fn take_name(&mut self, name: &str) {
        let below = name.strip_prefix(&below(self.path)).unwrap_or_default();
        let wanted = !below.is_empty() && (self.recursive || !below.contains('/'));
        if wanted && self.names.insert(name.to_owned()) {
            self.to_read.push(name.to_owned());
        }
    }

    fn take_values(&mut self, asked: usize, answer: GetParametersOutput) {
        let gone = answer.invalid_parameters.unwrap_or_default().len();
        let answers = answer.parameters.unwrap_or_default();
        let values: Vec<Parameter> = answers.into_iter().filter_map(Parameter::from_answer).collect();
        self.sound &= values.len() + gone == asked;
        values.into_iter().for_each(|value| keep_newest(&mut self.found, value));
    }

    fn ask_page(&mut self, cell: Cell, token: Option<String>) {
        let reader = self.reader;
        self.pages_under_way += 1;
        self.pages_asked += 1;
        self.calls.push(
            async move {
                let page = reader.describe(&cell, token).await;
                Event::Page(cell, page)
            }
            .boxed(),
        );
    }

    /// Full calls at once; what is left when the last page is in.
    fn ask_values(&mut self) {
        let reader = self.reader;
        while self.to_read.len() >= BATCH || (self.pages_under_way == 0 && !self.to_read.is_empty()) {
            let names = self.to_read.split_off(self.to_read.len().saturating_sub(BATCH));
            self.calls
                .push(async move { Event::Values(names.len(), reader.get_parameters(&names).await) }.boxed());
        }
    }
}

/// What the names below a path begin with.
fn below(path: &ParameterPath) -> String {
    format!("{}/", path.as_str().trim_end_matches('/'))
}

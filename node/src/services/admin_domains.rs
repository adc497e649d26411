//! Accounts and domains: what the meta group holds.

use super::reads;
use crate::convert::{domain, ids::id, ids::optional_id, mutation::Mutation};
use crate::problem::Problem;
use ::routing::settings::limits::TEXT_BYTES_MAX;
use ::routing::{AccountId, Rejected};
use actors::{CallError, Engine, Found, PlacedDomain, Query};
use futures::{StreamExt, TryStreamExt, stream};
use proto::v1;
use std::time::Duration;

/// Domains read at once for a list.
const READS_AT_ONCE: usize = 16;

fn creation(mutation: Option<v1::Mutation>) -> Result<Mutation, Problem> {
    let mutation = Mutation::read(mutation)?;
    if mutation.expected_version.is_some() {
        let what = "is given, but what is made now has no version yet: leave it out";
        return Err(Problem::field("mutation.expected_version", what));
    }
    Ok(mutation)
}

/// Makes an account.
pub(super) async fn create_account(
    engine: Engine,
    request: v1::CreateAccountRequest,
    deadline: Duration,
) -> Result<v1::Account, Problem> {
    let mutation = creation(request.mutation)?;
    if request.name.is_empty() || request.name.len() > TEXT_BYTES_MAX {
        let what = format!("{} bytes long: a name has 1 to {TEXT_BYTES_MAX}", request.name.len());
        return Err(Problem::field("name", what));
    }
    let account = engine.create_account(mutation.id, request.name, deadline).await?;
    Ok(v1::Account { id: account.id.to_string(), name: account.name })
}

/// All accounts.
pub(super) fn list_accounts(engine: &Engine) -> v1::ListAccountsResponse {
    let accounts = engine.accounts();
    let write = |account: actors::Account| v1::Account { id: account.id.to_string(), name: account.name };
    v1::ListAccountsResponse { accounts: accounts.into_iter().map(write).collect() }
}

/// Makes a domain.
pub(super) async fn create_domain(
    engine: Engine,
    request: v1::CreateDomainRequest,
    deadline: Duration,
) -> Result<v1::Domain, Problem> {
    let account = id("account", &request.account)?;
    let mutation = creation(request.mutation)?;
    let settings = domain::read_settings(request.settings)?;
    let made = engine.create_domain(mutation.id, account, settings, deadline).await?;
    // This node may not have heard of it yet.
    let place = engine.place(made, deadline).await?;
    read(&engine, place, deadline).await
}

/// One domain.
pub(super) async fn get_domain(
    engine: Engine,
    request: v1::GetDomainRequest,
    deadline: Duration,
) -> Result<v1::Domain, Problem> {
    let wanted = id("domain", &request.domain)?;
    let place = engine.place(wanted, deadline).await?;
    Ok(domain::write(&reads::domain(&engine, wanted, deadline).await?, place.shard))
}

/// All domains, or those of an account.
pub(super) async fn list_domains(
    engine: Engine,
    request: v1::ListDomainsRequest,
    deadline: Duration,
) -> Result<v1::ListDomainsResponse, Problem> {
    let account: Option<AccountId> = optional_id("account", &request.account)?;
    let places = engine.domains().into_iter().filter(|place| account.is_none_or(|of| of == place.account));
    let domains = stream::iter(places)
        .map(|place| read(&engine, place, deadline))
        .buffered(READS_AT_ONCE)
        .try_collect()
        .await?;
    Ok(v1::ListDomainsResponse { domains })
}

async fn read(engine: &Engine, place: PlacedDomain, deadline: Duration) -> Result<v1::Domain, Problem> {
    match engine.query(Query::Domain(place.domain), deadline).await {
        Ok(answer) => match answer.found {
            Found::Domain(summary) => Ok(domain::write(&summary, place.shard)),
            _ => Err(super::call::unexpected("a domain")),
        },
        // Placed, and its shard has not made it yet: shown with version 0.
        Err(CallError::Rejected(Rejected::UnknownDomain)) => Ok(v1::Domain {
            id: place.domain.to_string(),
            account: place.account.to_string(),
            shard: place.shard.0,
            ..Default::default()
        }),
        Err(error) => Err(error.into()),
    }
}

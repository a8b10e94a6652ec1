//! Weights of keys of fairness.

use reef_api::fairness::{Fairness, FairnessBody};
use reef_domain::fairness::read_weights;
use reef_store::Redis;
use reef_store::fairness::{Get, Put};
use reef_web::extract::object;
use reef_web::route::{Answer, mark_replayed};
use reef_web::{Context, Response};

/// `GET /fairness`
pub(crate) async fn show<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let found = cx.store.call(&Get).await?;
    let pairs = found.chunks_exact(2).filter_map(|pair| match pair {
        [key, weight] => Some((key.clone(), weight.parse().ok()?)),
        _ => None,
    });
    Ok(Response::json(&Fairness { weights: pairs.collect() }))
}

/// `PUT /fairness`
pub(crate) async fn put<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let weights = read_weights(object::<FairnessBody>(cx.request)?)?;
    let pairs = weights.iter().flat_map(|(key, weight)| [key.clone(), weight.to_string()]);
    let call = Put { weights: &pairs.collect::<Vec<_>>() };
    let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
    mark_replayed(Ok(Response::json(&Fairness { weights })), answered.replayed)
}

//! Takes the messages of a call in: each is unpacked and weighed before anything decodes it.

use std::{
    collections::VecDeque,
    io::Read,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    body::{Body, BodyDataStream},
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use bytes::{Buf, BufMut, Bytes, BytesMut};
use flate2::bufread::GzDecoder;
use futures::StreamExt;
use insights_access::{Demand, Policy, is_rpc, partner_of};
use tonic::{Code, Status};

use crate::{
    Error, MessageLimits,
    decoding::{Budget, Excess, MethodShape, Reservation, Shapes, weigh},
    fail_point,
    layers::hold,
    status::{plain, with_retry},
};

/// What is taken in.
pub(crate) struct Intake {
    pub(crate) limits: MessageLimits,
    pub(crate) policy: Arc<Policy>,
    /// `None` in memory, where what comes in was weighed at the port.
    pub(crate) budget: Option<Arc<Budget>>,
}

/// Largest request of methods that are not of this product's API: those of health and reflection.
const FOREIGN: usize = 4 * 1024;
/// Decoded, a request may take so many times what its method takes encoded.
const EXPANSION: usize = 4;
/// Bytes unpacked at a time.
const PIECE: usize = 64 * 1024;
/// Messages of a stream that are taken to be in memory: those that are worked on and those read ahead.
const UNDER_WAY: usize = 4;
/// The flag, and the length of the message.
const HEADER: usize = 5;

pub(crate) async fn intake(State(intake): State<Arc<Intake>>, request: Request, next: Next) -> Response {
    if !is_rpc(request.uri().path(), request.headers()) {
        return next.run(request).await;
    }
    let shape = Shapes::product().method(request.uri().path());
    let held = Arc::new(Mutex::new(VecDeque::new()));
    let partner = partner_of(request.extensions()).unwrap_or_default().to_owned();
    let packed = request.headers().get("grpc-encoding").is_some_and(|encoding| encoding == "gzip");
    let most = intake.most(request.uri().path(), shape);
    let request = request.map(|body| {
        let messages = Messages {
            body: body.into_data_stream(),
            read: BytesMut::new(),
            ready: VecDeque::new(),
            taken: 0,
            call: Taken { shape, most, packed, partner, budget: intake.budget.clone(), held: Arc::clone(&held) },
        };
        Body::from_stream(futures::stream::try_unfold(messages, Messages::next))
    });
    hold(next.run(request).await, held)
}

impl Intake {
    /// The largest request of a method. Questions are small; records, and what services ask each other, are many.
    fn most(&self, path: &str, shape: Option<MethodShape>) -> usize {
        let of_services = self.policy.method(path).is_some_and(|method| method.demand == Demand::Services);
        match shape {
            None => FOREIGN,
            Some(shape) if shape.carries_records || of_services => self.limits.request_bytes,
            Some(_) => self.limits.question_bytes.min(self.limits.request_bytes),
        }
    }
}

/// The messages of a request.
struct Messages {
    body: BodyDataStream,
    /// What was read and is not passed on yet.
    read: BytesMut,
    ready: VecDeque<Bytes>,
    /// Messages so far.
    taken: usize,
    call: Taken,
}

/// How the messages of a call are taken.
struct Taken {
    shape: Option<MethodShape>,
    most: usize,
    packed: bool,
    partner: String,
    budget: Option<Arc<Budget>>,
    held: Arc<Mutex<VecDeque<Reservation>>>,
}

impl Messages {
    /// The next piece of the body as the layers below read it: messages whole, weighed and not packed.
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, Status> {
        if self.ready.is_empty() {
            self.take().await?;
        }
        Ok(self.ready.pop_front().map(|piece| (piece, self)))
    }

    async fn take(&mut self) -> Result<(), Status> {
        if !self.fill(HEADER).await? {
            // What is left is no message; the decoder says so.
            self.pass_rest();
            return Ok(());
        }
        let (flag, length) = (self.read[0], (&self.read[1..HEADER]).get_u32() as usize);
        if self.taken > 0 && self.call.shape.is_some_and(|shape| !shape.client_streaming) {
            return Err(plain(Code::InvalidArgument, "The call has more than one message.", "MESSAGE_MALFORMED"));
        }
        if length > self.call.most {
            return Err(too_large(length, self.call.most));
        }
        let mut reservation = self.call.budget.as_ref().map(|budget| budget.reserve(&self.call.partner));
        // Memory is reserved as it is used, because a length is quickly said.
        let mut have = self.read.len();
        while have < HEADER + length {
            if !self.fill(have + 1).await? {
                self.pass_rest();
                return Ok(());
            }
            have = self.read.len();
            grow(&mut reservation, have.min(HEADER + length)).await?;
        }
        self.taken += 1;
        self.read.advance(HEADER);
        let mut message = self.read.split_to(length).freeze();
        let mut flag = flag;
        if flag == 1 && self.call.packed {
            message = unpack(&message, self.call.most, &mut reservation).await?;
            flag = 0;
        }
        if flag == 0 {
            self.call.weigh(&message, &mut reservation).await?;
        }
        let mut header = BytesMut::with_capacity(HEADER);
        header.put_u8(flag);
        header.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
        self.ready.extend([header.freeze(), message]);
        self.call.keep(reservation);
        Ok(())
    }

    /// Reads until there are so many bytes; `false` when there are no more.
    async fn fill(&mut self, bytes: usize) -> Result<bool, Status> {
        while self.read.len() < bytes {
            match self.body.next().await {
                Some(Ok(piece)) => self.read.put(piece),
                // The caller's connection, or what the caller sent on it: nothing is wrong on this side.
                Some(Err(error)) => return Err(unreadable(&error)),
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    fn pass_rest(&mut self) {
        if !self.read.is_empty() {
            self.ready.push_back(self.read.split().freeze());
        }
    }
}

impl Taken {
    async fn weigh(&self, message: &[u8], reservation: &mut Option<Reservation>) -> Result<(), Status> {
        let Some(shape) = self.shape else { return Ok(()) };
        let guarded = fail_point::guard_holds("service.elements");
        let most = if guarded { EXPANSION * self.most } else { usize::MAX };
        match weigh(Shapes::product(), shape.request, message, most) {
            // The decoder copies the message before it reads it.
            Ok(decoded) => grow(reservation, 2 * message.len() + decoded).await,
            Err(_) if !guarded => Ok(()),
            Err(excess) => Err(refusal(excess)),
        }
    }

    /// Keeps what messages have reserved until the call ends; of a stream the last ones.
    fn keep(&self, reservation: Option<Reservation>) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.extend(reservation);
        while held.len() > UNDER_WAY {
            held.pop_front();
        }
    }
}

async fn grow(reservation: &mut Option<Reservation>, bytes: usize) -> Result<(), Status> {
    let Some(reservation) = reservation.as_mut().filter(|_| fail_point::guard_holds("service.memory")) else {
        return Ok(());
    };
    reservation.grow_to(bytes).await.map_err(|_| {
        tracing::info!(monotonic_counter.memory_refused = 1_u64, "no memory for a request");
        let text = "There is no memory for this request now.";
        with_retry(Code::ResourceExhausted, text, "BUSY", Some(Duration::from_millis(500)))
    })
}

/// Unpacks a message, piece by piece, and no further than it may be large.
async fn unpack(packed: &[u8], most: usize, reservation: &mut Option<Reservation>) -> Result<Bytes, Status> {
    let (mut decoder, mut message, mut piece) = (GzDecoder::new(packed), BytesMut::new(), vec![0; PIECE]);
    loop {
        let read = decoder
            .read(&mut piece)
            .map_err(|_| plain(Code::InvalidArgument, "The message cannot be read.", "MESSAGE_MALFORMED"))?;
        if read == 0 {
            return Ok(message.freeze());
        }
        if message.len() + read > most {
            return Err(too_large(message.len() + read, most));
        }
        // A buffer that grows is copied once.
        grow(reservation, packed.len() + 2 * (message.len() + read)).await?;
        message.extend_from_slice(&piece[..read]);
    }
}

fn too_large(bytes: usize, most: usize) -> Status {
    let text = format!("The message has {bytes} bytes or more, and may have {most}.");
    plain(Code::ResourceExhausted, &text, "MESSAGE_TOO_LARGE")
}

fn refusal(excess: Excess) -> Status {
    match excess {
        Excess::Items { field, most } => Error::invalid(field, format!("must have at most {most} entries")).into(),
        Excess::Twice { field } => Error::invalid(field, "is given more than once").into(),
        Excess::Bytes => {
            let text = "The message would take too much memory: send fewer or smaller entries.";
            plain(Code::ResourceExhausted, text, "MESSAGE_TOO_LARGE")
        }
    }
}

fn unreadable(error: &axum::Error) -> Status {
    // A status in it is of a layer above, such as that of gRPC-Web.
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(status) = error.downcast_ref::<Status>() {
            return status.clone();
        }
        cause = error.source();
    }
    if crate::error_chain(error).contains(&crate::normalise::NotBase64.to_string()) {
        return Status::internal(crate::normalise::NotBase64.to_string());
    }
    plain(Code::Aborted, "The message was not sent to its end.", "MESSAGE_CUT_OFF")
}

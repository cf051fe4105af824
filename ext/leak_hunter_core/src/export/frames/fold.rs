//! Chooses which frames of a tree to keep, and folds the others.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::{Frame, FrameTree, Limits, UNPLACED};
use crate::export::labels::Label;

/// The largest frames, depth first, and what was folded. `texts` are the labels by number.
pub(super) fn tree(mut frames: Vec<Frame>, texts: Vec<Box<str>>, rest: Label, limits: &Limits) -> FrameTree {
    sum_up(&mut frames);
    let keep = largest(&frames, limits);
    let mut kept: Vec<Frame> = Vec::new();
    let mut places = vec![0u32; frames.len()];
    let mut rests: HashMap<u32, u32, RandomState> = HashMap::default();
    for (index, frame) in frames.iter().enumerate() {
        let parent = places[frame.parent as usize];
        let is_rest = frame.label == rest || (index > 0 && !keep[index]);
        let next = kept.len() as u32;
        let place = match is_rest {
            true if kept[parent as usize].label == rest => parent,
            true => *rests.entry(parent).or_insert(next),
            false => next,
        };
        places[index] = place;
        if place == next {
            kept.push(Frame {
                label: if is_rest { rest } else { frame.label },
                parent,
                count: 0,
                bytes: 0,
                ..*frame
            });
        }
        let place = &mut kept[place as usize];
        place.count += frame.count;
        place.bytes = place.bytes.saturating_add(frame.bytes);
    }
    sum_up(&mut kept);
    let frames = depth_first(&kept, rest);
    tidy(frames, texts)
}

/// Each frame comes after the one above.
fn sum_up(frames: &mut [Frame]) {
    for frame in frames.iter_mut() {
        (frame.total_count, frame.total_bytes) = (frame.count, frame.bytes);
    }
    for index in (1..frames.len()).rev() {
        let Frame {
            parent,
            total_count,
            total_bytes,
            ..
        } = frames[index];
        let above = &mut frames[parent as usize];
        above.total_count += total_count;
        above.total_bytes = above.total_bytes.saturating_add(total_bytes);
    }
}

/// Which frames to keep. None is larger than the one above, which comes first where they are alike: so that is kept too.
fn largest(frames: &[Frame], limits: &Limits) -> Vec<bool> {
    let least = frames[0].total_bytes / limits.parts.max(1);
    let mut order: Vec<u32> = (1..frames.len() as u32)
        .filter(|index| frames[*index as usize].total_bytes >= least)
        .collect();
    let key = |index: &u32| (std::cmp::Reverse(frames[*index as usize].total_bytes), *index);
    if order.len() > limits.frames {
        order.select_nth_unstable_by_key(limits.frames, key);
        order.truncate(limits.frames);
    }
    let mut keep = vec![false; frames.len()];
    for index in order {
        keep[index as usize] = true;
    }
    keep
}

/// A frame to place: its index, and the place of the one above.
struct Child {
    index: u32,
    parent: u32,
}

/// The larger of two in one frame first, and what was folded last.
fn depth_first(frames: &[Frame], rest: Label) -> Vec<Frame> {
    let key = |index: &u32| {
        let frame = &frames[*index as usize];
        (
            frame.parent,
            frame.label != rest,
            frame.total_bytes,
            std::cmp::Reverse(*index),
        )
    };
    // ascending, so that the largest child is the last, and comes from the stack first
    let mut order: Vec<u32> = (1..frames.len() as u32).collect();
    order.sort_unstable_by_key(key);
    let of = |parent: u32| {
        let start = order.partition_point(|index| frames[*index as usize].parent < parent);
        let end = order.partition_point(|index| frames[*index as usize].parent <= parent);
        &order[start..end]
    };
    let mut sorted = vec![frames[0]];
    let children = |index: u32, parent: u32| {
        let children = of(index).iter();
        children.map(move |child| Child {
            index: *child,
            parent,
        })
    };
    let mut open: Vec<Child> = children(0, 0).collect();
    while let Some(Child { index, parent }) = open.pop() {
        let place = sorted.len() as u32;
        sorted.push(Frame {
            parent,
            ..frames[index as usize]
        });
        open.extend(children(index, place));
    }
    sorted
}

/// Keeps the labels that are used.
fn tidy(mut frames: Vec<Frame>, texts: Vec<Box<str>>) -> FrameTree {
    let mut places = vec![UNPLACED; texts.len()];
    let mut labels = Vec::new();
    for frame in &mut frames {
        let place = &mut places[frame.label as usize];
        if *place == UNPLACED {
            *place = labels.len() as u32;
            labels.push(texts[frame.label as usize].clone());
        }
        frame.label = *place;
    }
    FrameTree { labels, frames }
}

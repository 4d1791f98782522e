--- The states of a batch's job, in the order of its life.
return { "added", "submitting", "submitted", "succeeded", "downloaded", "failed", "unknown" }

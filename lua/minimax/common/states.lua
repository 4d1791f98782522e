--- The states of a batch's job, in the order of its life:
--
--     added -> submitting -> submitted -> succeeded -> downloaded
--
-- or `failed`, or `unknown`: submitted perhaps, and nobody knows the task's id.
return { "added", "submitting", "submitted", "succeeded", "downloaded", "failed", "unknown" }

---@meta minimax

-- The types of `require "minimax"` for the Lua language server. Nothing runs this file.
--
-- All times are in seconds. API pages are named by their last part, as in
-- https://platform.minimax.io/docs/api-reference/video-generation-t2v

---The three outcomes of a call: a value, or nil and an error of one of these kinds.
---@alias minimax.error.kind
---| "auth"       # no key, or a key that is refused (codes 1004, 2038, 2049; HTTP 401, 403)
---| "balance"    # code 1008, HTTP 402
---| "quota"      # a plan that is used up or lacks the model (1028, 1030, 2056, 2061)
---| "rate_limit" # too many requests (1002, 1039, 1041, 2045; HTTP 429)
---| "content"    # refused as sensitive (1026, 1027; HTTP 422)
---| "invalid"    # a request that cannot succeed as it is (1042, 2013, other 4xx)
---| "server"     # 1000, 1001, 1013, 1024, 1033, 5xx and codes that nobody documented
---| "timeout"    # a deadline of this program passed
---| "network"    # DNS, connect, reset
---| "tls"        # a handshake or a certificate
---| "protocol"   # a reply that makes no sense: HTML, cut JSON, success without a result
---| "failed"     # the task ended without success
---| "unknown"    # a submit that may have started a task: its answer does not say
---| "cancelled"  # ended by this program: abort, close, a closed coroutine
---| "expired"    # a link that serves no more and could not be renewed
---| "io"         # a local file

---@alias minimax.stage
---| "submit"
---| "query"
---| "wait"
---| "download"
---| "upload"
---| "retrieve"
---| "list"
---| "cancel"
---| "call"

---Which family of endpoints a task belongs to.
---@alias minimax.kind
---| "template" # /v1/video_template_generation
---| "video"    # /v1/video_generation
---| "video2"   # /v2/video_generation

---@alias minimax.state "queued"|"running"|"succeeded"|"failed"|"cancelled"

---What the world did instead of what was asked. Prints as one line.
---@class minimax.error
---@field kind minimax.error.kind
---@field message string what happened and, where there is one, what to do about it
---@field code? integer the API's own code (page: errorcode)
---@field http_status? integer
---@field trace_id? string the server's name for the request, for their support
---@field task? minimax.task fit for `wait` and `download`; also what an unclear answer names
---@field task_id? string
---@field stage? minimax.stage
---@field status? minimax.status the status that ended a task without success
---@field received? integer bytes handed to a function or a Lua file before a download broke
---@field attempts? integer how often it was tried
---@field retryable? boolean whether repeating the same call is safe and may help

---An id, or anything that carries one.
---@alias minimax.task_like minimax.task|minimax.status|string|integer

---A handle that stands for a local file wherever the API takes a media URL.
---@class minimax.file

-- Clients -----------------------------------------------------------------------------------

---How a request shows its key.
---@class minimax.auth
---@field header? string "Authorization"
---@field scheme? string "Bearer"; "" sends the bare key

---So many requests in so many seconds.
---@class minimax.rate
---@field [1] integer requests
---@field [2] number seconds

---@class minimax.options
---@field api_key? string MINIMAX_API_KEY, else the file named by MINIMAX_API_KEY_FILE
---@field base_url? string MINIMAX_BASE_URL, else MINIMAX_API_HOST, else https://api.minimax.io
---@field auth? minimax.auth|false false sends no key
---@field headers? table<string, string> on API calls, never on downloads
---@field query? table<string, string> query parameters on API calls, never on downloads
---@field connect_timeout? number seconds (10)
---@field request_timeout? number seconds for each attempt (60)
---@field stall_timeout? number seconds below 1 KiB/s that end a body under way (30)
---@field retries? integer further attempts for a request that is safe to repeat (4)
---@field poll_interval? number seconds (MINIMAX_POLL_INTERVAL, 10)
---@field wait_timeout? number|false seconds (1800); false for none
---@field submit_rate? minimax.rate shared by all submits of the client; none until learned
---@field query_rate? minimax.rate shared by all other API calls; none until learned
---@field max_connections? integer (8)
---@field proxy? string also https_proxy, all_proxy and no_proxy
---@field ca_file? string CURL_CA_BUNDLE, else SSL_CERT_FILE
---@field ca_path? string SSL_CERT_DIR
---@field block? boolean blocks even where a yield is possible (false)
---@field insecure? boolean turns certificate checks off (false)
---@field max_response_bytes? integer bytes of a JSON reply (8 MiB)
---@field on_event? fun(event: minimax.event) called between transfers; must not yield

---What every call takes.
---@class minimax.call_options
---@field timeout? number|false seconds for the whole call; false for no end
---@field block? boolean blocks even where a yield is possible

---The timeout covers the turn under a rate budget, too.
---@class minimax.submit_options : minimax.call_options
---@field kind? minimax.kind where the fields of the request do not tell it
---@field dry_run? boolean does all checks and returns what would be sent instead of sending
---@field on_send? fun(): boolean?, any right before it leaves; `false`, or nil and why, stops it

---@class minimax.query_options : minimax.call_options
---@field kind? minimax.kind of a bare id ("template")

---@class minimax.wait_options : minimax.query_options
---@field interval? number seconds from poll to poll
---@field on_status? fun(status: minimax.status) after every answered poll; may yield

---@class minimax.download_options : minimax.query_options
---@field on_progress? fun(received: integer, total?: integer) bytes; may yield
---@field overwrite? boolean (true); false on an existing file is kind "io"
---@field allow_private? boolean lets a link point into a private network (false)
---@field max_bytes? integer bytes
---@field verify? boolean (true); false lets through what is not an MP4

---For a path as the destination.
---@class minimax.fetch_options : minimax.download_options
---@field on_whole? fun(bytes: integer, hash: string): any, any before the file gets its name

---The options of submit, wait and download together; `timeout` is the wait's.
---@class minimax.generate_options : minimax.wait_options, minimax.download_options

---@class minimax.call_request : minimax.call_options
---@field query? table<string, string|number|boolean|string[]>
---@field body? table sent as JSON

-- Requests ----------------------------------------------------------------------------------

---A URL, a `data:` URL or a local file.
---@alias minimax.media string|minimax.file

---@class minimax.text_input
---@field value string

---@class minimax.media_input
---@field value minimax.media JPG, PNG or WebP; < 20 MB, shorter side > 300 px, ratio 2:5 to 5:2

---Pages: video-agent-create; template ids: faq/video-agent-templates.
---@class minimax.template_request
---@field template_id string|integer
---@field text_inputs? (string|minimax.text_input)[]
---@field media_inputs? (minimax.media|minimax.media_input)[]
---@field callback_url? string

---@class minimax.subject
---@field type "character"
---@field image minimax.media[] exactly one

---Pages: video-generation-t2v, -i2v, -fl2v, -s2v.
---@class minimax.video_request
---@field model string such as "MiniMax-Hailuo-2.3"
---@field prompt? string up to 2000 characters
---@field prompt_optimizer? boolean (true)
---@field fast_pretreatment? boolean (false)
---@field duration? integer seconds: 6 or 10
---@field resolution? "512P"|"720P"|"768P"|"1080P"
---@field first_frame_image? minimax.media
---@field last_frame_image? minimax.media
---@field subject_reference? minimax.subject[] exactly one
---@field callback_url? string
---@field aigc_watermark? boolean (false)

---@class minimax.link
---@field url minimax.media also `mm_file://<file_id>`

---@class minimax.content
---@field type "text"|"image_url"|"video_url"|"audio_url"
---@field text? string up to 7000 characters
---@field image_url? minimax.link <= 30 MB, sides 256 to 5760 px, ratio 0.4 to 2.5
---@field video_url? minimax.link <= 50 MB, 2 to 15 s
---@field audio_url? minimax.link <= 15 MB, 2 to 15 s
---@field role? "first_frame"|"last_frame"|"reference_image"|"reference_video"|"reference_audio"

---Page: video-generation-v2-create.
---@class minimax.video2_request
---@field model "MiniMax-H3"|"MiniMax-H3-Max"|string
---@field content minimax.content[]
---@field resolution "480P"|"768P"|"2K"|string
---@field duration integer seconds: 4 to 15
---@field ratio? "adaptive"|"21:9"|"16:9"|"4:3"|"1:1"|"3:4"|"9:16"
---@field extra? { prompt_expansion_mode?: "disabled"|"balanced"|"quality" }
---@field callback_url? string
---@field aigc_watermark? boolean (false)

---MiniMax's own JSON body as a table; unknown fields pass through untouched.
---@alias minimax.request
---| minimax.template_request
---| minimax.video_request
---| minimax.video2_request
---| table

---What `dry_run` returns.
---@class minimax.dry_run
---@field method string
---@field url string
---@field path string
---@field kind minimax.kind
---@field bytes integer of the whole body
---@field body table what would be sent, its media shortened

-- Results -----------------------------------------------------------------------------------

---@class minimax.base_resp
---@field status_code integer 0, or a code of the page errorcode
---@field status_msg string

---What another process needs to go on is `{ task_id, kind }`.
---@class minimax.task
---@field task_id string exactly the characters that the server sent
---@field kind minimax.kind
---@field trace_id? string
---@field base_resp? minimax.base_resp
local Task = {}

---Asks for the state of the task now.
---@param options? minimax.query_options
---@return minimax.status? status
---@return minimax.error? err
function Task:query(options) end

---Waits until the task has ended.
---@param options? minimax.wait_options
---@return minimax.status? status with `state == "succeeded"`
---@return minimax.error? err
function Task:wait(options) end

---Fetches the video of a task that has succeeded.
---@param destination string|file*|fun(chunk: string): boolean?, any
---@param options? minimax.fetch_options
---@return minimax.info? info
---@return minimax.error? err
function Task:download(destination, options) end

---Cancels a queued v2 task.
---@param options? minimax.call_options
---@return minimax.status? status
---@return minimax.error? err
function Task:cancel(options) end

---Why a task ended otherwise than well: the error that `wait` returns; nil where
---the table does not say that it did.
---@return minimax.error? err kind "failed"
function Task:failure() end

---@class minimax.usage
---@field total_seconds? integer
---@field input_seconds? integer
---@field output_seconds? integer
---@field input_image_count? integer
---@field input_audio_seconds? integer
---@field total_tokens? integer
---@field prompt_tokens? integer
---@field completion_tokens? integer

---Every field of the reply as the API sent it, and some of ours. Has a task's methods.
---Pages: video-agent-query, video-generation-query, -v2-query.
---@class minimax.status : minimax.task
---@field state minimax.state
---@field status string the server's own word, such as "Queueing"
---@field url? string the download link, where the reply carries one
---@field expires_at? integer Unix seconds
---@field video_url? string a template's link
---@field file_id? string a v1 video's file, for `retrieve`
---@field video_width? integer pixels
---@field video_height? integer pixels
---@field id? string v2: the task
---@field model? string v2
---@field error? { code: string, message: string } v2, on failure
---@field created_at? integer v2: Unix seconds
---@field updated_at? integer v2: Unix seconds
---@field content? { url?: string, prompt?: string } v2
---@field resolution? string v2
---@field ratio? string v2
---@field duration? integer v2: seconds
---@field usage? minimax.usage v2
---@field task_type? "generation"|"h3_context_ir"|"regeneration" v2
---@field modality? "video"|"text" v2

---A stored file. Pages: file-management-retrieve, -upload.
---@class minimax.stored_file
---@field file_id string exactly the digits that the server sent
---@field bytes integer observed as 0 for finished videos
---@field created_at integer Unix seconds
---@field filename string
---@field purpose string
---@field download_url? string
---@field url? string the download link
---@field expires_at? integer Unix seconds

---What a download did.
---@class minimax.info
---@field path? string where it went to a path
---@field bytes integer the size of the whole file
---@field resumed_from? integer bytes that an earlier download had left
---@field content_type? string

---@class minimax.list_filter : minimax.call_options
---@field page_num? integer counts from 1
---@field page_size? integer
---@field status? "queued"|"running"|"succeeded"|"failed"|"cancelled"
---@field task_ids? string[]
---@field model? string
---@field task_type? "generation"|"h3_context_ir"|"regeneration"

---@class minimax.page
---@field items minimax.status[]
---@field total integer

---@class minimax.event
---@field type "request"|"response"|"retry"|"rate_limit"|"status"|"progress"|"renew"|"callback"
---@field time number
---@field stage? minimax.stage
---@field task_id? string
---@field method? string
---@field path? string
---@field http_status? integer
---@field date? string the server's clock, as its Date header says
---@field seconds? number how long the request took
---@field delay? number seconds until the next attempt
---@field attempt? integer
---@field bytes? integer
---@field total? integer bytes
---@field status? string the server's word
---@field state? minimax.state
---@field kind? minimax.error.kind
---@field message? string

-- The client --------------------------------------------------------------------------------

---@class minimax.client
local Client = {}

---Starts a render, which costs money. Never repeated by itself when the answer was lost.
---Pages: video-agent-create, video-generation-t2v, video-generation-v2-create.
---@param request minimax.request
---@param options? minimax.submit_options
---@return minimax.task|minimax.dry_run|nil task
---@return minimax.error? err
function Client:submit(request, options) end

---Asks for the state of a task now.
---Pages: video-agent-query, video-generation-query, -v2-query.
---@param task minimax.task_like
---@param options? minimax.query_options
---@return minimax.status? status
---@return minimax.error? err
function Client:query(task, options) end

---Waits until a task has ended: blocks a plain script, yields inside a coroutine.
---@param task minimax.task_like
---@param options? minimax.wait_options
---@return minimax.status? status with `state == "succeeded"`
---@return minimax.error? err
function Client:wait(task, options) end

---Fetches a video to a path, a function or an open Lua file.
---@param what minimax.task_like|minimax.stored_file|{ file_id: string } a string may be a URL
---@param destination string|file*|fun(chunk: string): boolean?, any
---@param options? minimax.fetch_options
---@return minimax.info? info
---@return minimax.error? err
function Client:download(what, destination, options) end

---Submits, waits and downloads.
---@param request minimax.request
---@param destination string|file*|fun(chunk: string): boolean?, any
---@param options? minimax.generate_options
---@return minimax.info? info
---@return minimax.status|minimax.error|nil status or the error
function Client:generate(request, destination, options) end

---Iterates over tasks in the order of their completion.
---@param tasks minimax.task_like[]
---@param options? minimax.wait_options
---@return fun(): minimax.task_like?, minimax.status?, minimax.error?
---@return any
---@return any
---@return any closing value
function Client:each(tasks, options) end

---Cancels a queued v2 task; never deletes the record of a finished one.
---Page: video-generation-v2-delete.
---@param task minimax.task_like
---@param options? minimax.call_options
---@return minimax.status? status
---@return minimax.error? err
function Client:cancel(task, options) end

---Ends every call under way for a task with kind "cancelled"; sends nothing.
---@param task minimax.task_like
---@return integer ended how many calls
function Client:abort(task) end

---Lists v2 tasks of the last 7 days. Page: video-generation-v2-list.
---@param filter? minimax.list_filter
---@return minimax.page? page
---@return minimax.error? err
function Client:list(filter) end

---Describes a stored file, with a fresh link. Page: file-management-retrieve.
---@param file_id string|integer
---@param options? minimax.call_options
---@return minimax.stored_file? file
---@return minimax.error? err
function Client:retrieve(file_id, options) end

---Stores a file for 7 days. Page: file-management-upload.
---@param path string
---@param purpose? string ("video_generation_input")
---@param options? minimax.call_options
---@return minimax.stored_file? file
---@return minimax.error? err
function Client:upload(path, purpose, options) end

---Reaches any other endpoint with the same key, retries (GET only), limits and errors.
---@param method "GET"|"POST"|"PUT"|"DELETE"|string
---@param path string such as "/v1/files/list"
---@param options? minimax.call_request
---@return table? reply
---@return minimax.error? err
function Client:call(method, path, options) end

---The answer to a POST to a callback_url, and the event in it.
---@param body string
---@return string? reply the JSON text to answer with
---@return minimax.status|minimax.error|nil event nil for a challenge; or the error
function Client:callback(body) end

---Moves the next poll of an event's task to now.
---@param event minimax.task_like what `callback` returned, or anything with a task id
---@return integer waits how many will ask at once
function Client:notify(event) end

---Cancels what is under way and closes the connections; a second call does nothing.
function Client:close() end

-- The emulator ------------------------------------------------------------------------------

---@class minimax.emulator.options
---@field speed? number how many times faster than real its tasks go (60)
---@field seconds? number how long a task takes at speed 1 (60)
---@field seed? integer of what is random (1)
---@field fail_rate? number 0 to 1: how many tasks fail (0)
---@field api_keys? string[] those that it accepts ({ "sk-api-emulator" })
---@field submit_rate? minimax.rate
---@field query_rate? minimax.rate
---@field port? integer 0 takes a free one (0)
---@field storage_port? integer 0 takes a free one (0)
---@field tls? boolean serves https, with HTTP/2 (false)
---@field path_prefix? string a gateway's, such as "/minimaxi" ("")
---@field auth_header? string ("Authorization")
---@field auth_scheme? string ("Bearer")
---@field wrap? 0|1|2 how many gateway objects a query's reply is wrapped in (0)
---@field ids? "string"|"number"|"ulid" how ids are sent ("string")
---@field digits? integer of an id, 6 to 64
---@field link_life? number seconds until a download link expires
---@field video_bytes? integer bytes of the served video
---@field lua? string the interpreter that runs it

---@class minimax.emulator.request
---@field method string
---@field path string
---@field query table<string, string>
---@field headers table<string, string> names in lower case
---@field body? any decoded JSON, long strings shortened
---@field bytes integer
---@field time number Unix seconds
---@field endpoint string
---@field attempt integer which of that endpoint, from 1
---@field http string

---@class minimax.emulator.filter
---@field endpoint? string
---@field method? string
---@field path? string

---What else a rule holds depends on its fault: doc/emulator.md.
---@class minimax.emulator.rule
---@field endpoint string "submit", "query", "retrieve", "storage" and so on, or a path
---@field fault string such as "reset", "html" or "status_503"
---@field attempt? integer|integer[]|"all" which requests; without it the next `times`
---@field times? integer (1)
---@field created? boolean whether the request does its work all the same
---@field code? integer
---@field message? string
---@field retry_after? number seconds
---@field seconds? number
---@field bytes? integer
---@field at? integer bytes
---@field url? string
---@field status? string
---@field fields? string[]
---@field content_range? string

---@class minimax.emulator.task
---@field task_id string
---@field kind minimax.kind
---@field state string
---@field file_id? string
---@field deleted? boolean
---@field request table the body, long strings shortened

---A request that the emulator sent to a `callback_url`.
---@class minimax.emulator.callback
---@field task_id string
---@field url string
---@field body any
---@field status? integer HTTP, once it was answered
---@field answer? string
---@field error? string
---@field passed? boolean of a challenge

---The API on the loopback, in a child process; it ends with its parent.
---@class minimax.emulator.running
---@field base_url string
---@field storage_url string
---@field port integer
---@field storage_port integer
---@field api_key string one that it accepts
---@field ca_file? string with `tls`: the certificate to trust
---@field env table<string, string> the environment for a script that is run against it
local Emulator = {}

---Every request since the start or the last `clear`.
---@param filter? minimax.emulator.filter
---@return minimax.emulator.request[]
function Emulator:requests(filter) end

---Every task that was created: what a real account would have paid for.
---@return minimax.emulator.task[]
function Emulator:tasks() end

---Every request to a `callback_url` since the start or the last `clear`.
---@return minimax.emulator.callback[]
function Emulator:callbacks() end

---Makes requests go wrong.
---@param rule minimax.emulator.rule
function Emulator:fault(rule) end

---Moves all tasks on, as if that much time had passed at speed 1.
---@param seconds number
function Emulator:advance(seconds) end

---Forgets the requests, the counts of attempts and the faults; tasks stay.
function Emulator:clear() end

---Ends the emulator; a second call does nothing.
function Emulator:stop() end

---What `require "minimax.emulator"` returns.
---@class minimax.emulator
local emulator = {}

---Starts an emulator; raises on an unknown option or a wrong value.
---@param options? minimax.emulator.options
---@return minimax.emulator.running? emu
---@return minimax.error? err kind "io"
function emulator.start(options) end

---The emulator as a program of its own: serves until Ctrl-C and ends the process.
---@param words? string[] its arguments (those of this script)
function emulator.main(words) end

-- Batches -----------------------------------------------------------------------------------

---@alias minimax.batch.state "added"|"submitting"|"submitted"|"succeeded"|"downloaded"|"failed"|"unknown"

---What `add` takes.
---@class minimax.batch.new_job
---@field key string a name of your own, unique in the ledger
---@field request minimax.request
---@field output? string a path that no other job has (the key with ".mp4")
---@field kind? minimax.kind where the request does not tell

---What `jobs` gives. Times are Unix seconds.
---@class minimax.batch.job
---@field key string
---@field state minimax.batch.state
---@field request minimax.request
---@field output string
---@field kind minimax.kind
---@field attempt integer how often it was submitted
---@field task_id? string
---@field trace_id? string
---@field err? minimax.error
---@field bytes? integer of the video
---@field host? string the worker that had it last
---@field strays? string ids of the tasks that it had besides, each with a blank after it
---@field added_at number
---@field submitting_at? number
---@field submitted_at? number
---@field succeeded_at? number
---@field ended_at? number

---@class minimax.batch.counts
---@field added integer
---@field submitting integer
---@field submitted integer
---@field succeeded integer
---@field downloaded integer
---@field failed integer
---@field unknown integer
---@field total integer
---@field lost? { key: string, task_id: string, kind: minimax.kind }[] ids that were not written
---@field checked? integer in a dry run
---@field refused? integer in a dry run
---@field doubtful? integer in a dry run

---@class minimax.batch.event
---@field type "state"|"status"|"warning"|"refused"|"task"|"stop"
---@field time integer
---@field key? string
---@field state? string
---@field status? string the server's own word
---@field task_id? string
---@field kind? minimax.kind
---@field attempt? integer
---@field output? string
---@field reason? string
---@field err? minimax.error

---@class minimax.batch.run_options
---@field on_event? fun(event: minimax.batch.event)
---@field max_in_flight? integer jobs at a time (20)
---@field max_submits? integer a spend guard: where more jobs are to be submitted, none is
---@field dry_run? boolean checks what is still to be submitted, and pays nothing
---@field strict? boolean refuses what the catalogues do not know
---@field poll_interval? number seconds (10)
---@field wait_timeout? number|false seconds (7200)
---@field patience? number|false seconds without any answer (3600)
---@field lease? number seconds (60)
---@field account? string what shares the rates ("default")
---@field host? string
---@field submit_rate? { [1]: number, [2]: number }|false count and seconds, for all workers
---@field query_rate? { [1]: number, [2]: number }|false

---A ledger of jobs.
---@class minimax.batch.ledger
local Batch = {}

---Adds a job, or all jobs of a list or none; the same once more changes nothing.
---@param job minimax.batch.new_job|minimax.batch.new_job[]
---@return integer? added how many were new
---@return minimax.error? err with `index`, where a list was given
function Batch:add(job) end

---Adds the jobs of a file of JSON Lines.
---@param source string|file* a path, or an open file
---@param options? { keep_going?: boolean }
---@return integer? added how many were new
---@return { line: integer, message: string }[]|minimax.error problems the bad lines; or the error
function Batch:add_lines(source, options) end

---How many jobs are in each state.
---@return minimax.batch.counts? counts
---@return minimax.error? err
function Batch:status() end

---Iterates over the jobs, in the order of their adding.
---@param filter? { state?: minimax.batch.state }
---@return fun(): minimax.batch.job?
function Batch:jobs(filter) end

---Lets a failed or unknown job be tried again in the next run.
---@param key string
---@param options? { resubmit?: boolean }
---@return minimax.batch.state? state
---@return minimax.error? err
function Batch:retry(key, options) end

---Settles an unknown job: this is its task.
---@param key string
---@param task string|minimax.task
---@return boolean? ok
---@return minimax.error? err
function Batch:adopt(key, task) end

---Works on the jobs until nothing is left to do, or there is a reason to stop.
---@param options? minimax.batch.run_options
---@return minimax.batch.counts? counts
---@return string|minimax.error reason "done", "left", "max_submits", "dry_run" or an error's kind
---@return minimax.error? err
function Batch:run(options) end

---Closes the ledger; a second call does nothing.
function Batch:close() end

---What `require "minimax.batch"` returns.
---@class minimax.batch
local batch = {}

---Opens a ledger, and makes it where there is none.
---@param where string a path, or `postgresql://user@host/database`
---@param client? minimax.client
---@return minimax.batch.ledger? batch
---@return minimax.error? err
function batch.open(where, client) end

-- The receiver of callbacks -----------------------------------------------------------------

---@class minimax.receiver.options
---@field controller any of cqueues, which serves it
---@field client minimax.client whose waits are told
---@field host? string ("127.0.0.1")
---@field port? integer 0 takes a free one (0)
---@field path? string the secret path (a random one)
---@field on_event? fun(event: minimax.status, query: string) called with each event, once it was
---answered, and with what stood behind `?` in the `callback_url`
---@field on_problem? fun(err: minimax.error) called for a body that is no callback
---@field max_bytes? integer of a body (64 KiB)
---@field seconds? number that a sender may take (3)

---@class minimax.receiver.running
---@field port integer
---@field path string what follows the host in the `callback_url`
local Receiver = {}

---Stops to listen; a second call does nothing.
function Receiver:close() end

---What `require "minimax.receiver"` returns.
---@class minimax.receiver
local receiver = {}

---Starts a receiver; raises on an unknown option or a wrong value.
---@param options minimax.receiver.options
---@return minimax.receiver.running? receiver
---@return minimax.error? err kind "io"
function receiver.start(options) end

---Whether two texts are the same, in a time that does not tell where they differ.
---@param sent string
---@param expected string
---@return boolean
function receiver.same(sent, expected) end

-- The module --------------------------------------------------------------------------------

---How coroutines wait in another loop, which drives `minimax.step`.
---@class minimax.adapter
---@field token fun(): any names the running coroutine
---@field park fun(token: any) yields it to its loop
---@field wake fun(token: any) has the loop resume it

---@class minimax
---@field _VERSION string
---@field _LIBCURL string the libcurl that runs, and its TLS library
local minimax = {}

---Makes a client; raises on an unknown option or a wrong type.
---@param options? minimax.options
---@return minimax.client
function minimax.new(options) end

---Sets and returns the default client that the module's functions use.
---@param options minimax.options
---@return minimax.client
function minimax.configure(options) end

---A handle that stands for a local file wherever the API takes a media URL.
---@param path string
---@return minimax.file
function minimax.file(path) end

---`Client:submit` of the default client.
---@param request minimax.request
---@param options? minimax.submit_options
---@return minimax.task|minimax.dry_run|nil task
---@return minimax.error? err
function minimax.submit(request, options) end

---`Client:query` of the default client.
---@param task minimax.task_like
---@param options? minimax.query_options
---@return minimax.status? status
---@return minimax.error? err
function minimax.query(task, options) end

---`Client:wait` of the default client.
---@param task minimax.task_like
---@param options? minimax.wait_options
---@return minimax.status? status
---@return minimax.error? err
function minimax.wait(task, options) end

---`Client:download` of the default client.
---@param what minimax.task_like|minimax.stored_file|{ file_id: string } a string may be a URL
---@param destination string|file*|fun(chunk: string): boolean?, any
---@param options? minimax.fetch_options
---@return minimax.info? info
---@return minimax.error? err
function minimax.download(what, destination, options) end

---`Client:generate` of the default client.
---@param request minimax.request
---@param destination string|file*|fun(chunk: string): boolean?, any
---@param options? minimax.generate_options
---@return minimax.info? info
---@return minimax.status|minimax.error|nil status or the error
function minimax.generate(request, destination, options) end

---`Client:each` of the default client.
---@param tasks minimax.task_like[]
---@param options? minimax.wait_options
---@return fun(): minimax.task_like?, minimax.status?, minimax.error?
---@return any
---@return any
---@return any closing value
function minimax.each(tasks, options) end

---`Client:cancel` of the default client.
---@param task minimax.task_like
---@param options? minimax.call_options
---@return minimax.status? status
---@return minimax.error? err
function minimax.cancel(task, options) end

---`Client:abort` of the default client.
---@param task minimax.task_like
---@return integer ended how many calls
function minimax.abort(task) end

---`Client:list` of the default client.
---@param filter? minimax.list_filter
---@return minimax.page? page
---@return minimax.error? err
function minimax.list(filter) end

---`Client:retrieve` of the default client.
---@param file_id string|integer
---@param options? minimax.call_options
---@return minimax.stored_file? file
---@return minimax.error? err
function minimax.retrieve(file_id, options) end

---`Client:upload` of the default client.
---@param path string
---@param purpose? string ("video_generation_input")
---@param options? minimax.call_options
---@return minimax.stored_file? file
---@return minimax.error? err
function minimax.upload(path, purpose, options) end

---`Client:call` of the default client.
---@param method "GET"|"POST"|"PUT"|"DELETE"|string
---@param path string such as "/v1/files/list"
---@param options? minimax.call_request
---@return table? reply
---@return minimax.error? err
function minimax.call(method, path, options) end

---`Client:callback` of the default client.
---@param body string
---@return string? reply
---@return minimax.status|minimax.error|nil event
function minimax.callback(body) end

---`Client:notify` of the default client.
---@param event minimax.task_like what `callback` returned, or anything with a task id
---@return integer waits how many will ask at once
function minimax.notify(event) end

---Makes a coroutine that `run` will run; closing it cancels what it waits for.
---@param fn fun(...)
---@param ... any
---@return thread
function minimax.spawn(fn, ...) end

---Runs until all spawned functions have ended; raises the first uncaught error.
---@param fn? fun(...): ...
---@param ... any
---@return any ... what fn returned
function minimax.run(fn, ...) end

---Says how coroutines wait in a loop of the program's own; nil takes it away.
---@param adapter minimax.adapter?
function minimax.adapter(adapter) end

---Waits for that long, as everything else waits: other transfers and coroutines go on.
---@param seconds number
---@return true
function minimax.sleep(seconds) end

---One descriptor that is readable whenever there is work; nil on a system without epoll.
---@return integer?
function minimax.pollfd() end

---What to poll the descriptor for.
---@return "r"
function minimax.events() end

---How long a loop may sleep.
---@return number? seconds nil when there is nothing to wait for
function minimax.timeout() end

---Does what there is to do, without waiting.
---@param seconds? number at most (0.002)
---@return integer ended how many operations
function minimax.step(seconds) end

return minimax

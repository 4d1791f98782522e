--- The words of `template`, `video` and `video2`.

local values = require "minimax.cli.grammar.values"

local render = {}

local AFTER = [[


Without -o or --wait it prints the task's id and ends; the task goes on at the
server. A submit costs money, and is never sent twice by itself. Options that
stand for all commands: 'minimax --help'.]]

local function add(parser, name, summary, epilog)
  local command = values.command(parser, name, summary, epilog .. AFTER)
  command:option("--request", "The request as JSON, which the other options go into; - reads it "
    .. "from standard input."):argname "FILE"
  command:option("--callback-url", "Where the server reports to."):argname "URL"
  command:flag("--wait", "Wait for the task.")
  command:flag("--dry-run", "Check all, send nothing, and show what would be sent.")
  command:flag("--strict", "Refuse what the lists of templates and models do not know.")
  command:option("--turn", "How long to wait for a turn under a rate limit."):argname "SECONDS"
    :convert(values.seconds)
  values.add_wait(command)
  values.add_download(command)
  return command
end

local function add_template(parser)
  local command = add(parser, "template", "Render a Video Agent template.", [[
Examples:
  minimax template run-for-life -m @pet.jpg -t Lion -o lion.mp4
  minimax template 393769180141805569 -m https://example.com/pet.jpg -t Lion]])
  command:argument("template", "The template's id, or its name: see 'minimax templates'.")
    :args "?"
  command:option("-m --media", "A picture: a URL, or @ and a local path."):argname "MEDIA"
    :count "*"
  command:option("-t --text", "A text."):count "*"
end

local function add_prompt(command)
  command:option("--model", "The model: see 'minimax models'.")
  command:option("-p --prompt", "What is to be seen."):argname "TEXT"
  command:option("--duration", "The video's length."):argname "SECONDS":convert(values.whole)
  command:option("--resolution", "Such as 768P, 1080P, 2K."):argname "SIZE"
  command:option("--first-frame", "A picture: a URL, or @ and a local path."):argname "MEDIA"
  command:option("--last-frame", "A picture, too."):argname "MEDIA"
  command:option("--watermark", "Whether the video is marked as made by AI."):argname "on|off"
    :target "aigc_watermark":convert(values.switch)
end

local function add_video(parser)
  local command = add(parser, "video", "Render with a Hailuo model.", [[
Examples:
  minimax video --model MiniMax-Hailuo-2.3 -p "A cat surfs" -o cat.mp4
  minimax video --model MiniMax-Hailuo-02 --first-frame @a.jpg \
      --last-frame @b.jpg --resolution 768P --duration 10 -o morph.mp4]])
  add_prompt(command)
  command:option("--subject", "A picture of a face, for S2V-01."):argname "MEDIA"
  command:option("--optimizer", "Whether the prompt is rewritten (on)."):argname "on|off"
    :target "prompt_optimizer":convert(values.switch)
  command:option("--fast-pretreatment", "Whether that is done quickly (off).")
    :argname "on|off":convert(values.switch)
end

local function add_video2(parser)
  local command = add(parser, "video2", "Render with an H3 model.", [[
Examples:
  minimax video2 --model MiniMax-H3 -p "A cat surfs" --resolution 768P \
      --duration 5 --ratio 16:9 -o cat.mp4
  minimax video2 --model MiniMax-H3 -p "She sings" --resolution 2K \
      --duration 8 --reference-image @her.jpg --reference-audio @song.mp3]])
  add_prompt(command)
  command:option("--ratio", "Such as 16:9, 9:16, adaptive.")
  for _, media in ipairs { "image", "video", "audio" } do
    command:option("--reference-" .. media, "A reference: a URL, or @ and a local path.")
      :argname "MEDIA":count "*"
  end
end

--- Adds the three commands.
function render.add(parser)
  add_template(parser)
  add_video(parser)
  add_video2(parser)
end

return render

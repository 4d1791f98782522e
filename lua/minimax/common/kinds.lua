--- The kinds of tasks: one for each family of endpoints.
return { "template", "video", "video2" }

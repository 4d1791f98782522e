--- Loaded ahead of the specs by `make gc`: the collector begins anew as soon as
-- it has ended, so that whatever nobody holds goes at once.

require "spec.support.collector".incremental(0, 1000)

-- Announces over HTTP for wrk, made before it starts: infohashes from the file that HASHES names, peers by their port.
local requests = {}

function init(args)
  local hashes = {}
  for line in io.lines(args[1]) do
    hashes[#hashes + 1] = line:gsub("..", "%%%0")
  end
  math.randomseed(7)
  for i = 1, 50000 do
    requests[i] = wrk.format(
      "GET",
      "/announce?info_hash=" .. hashes[math.random(#hashes)]
        .. "&peer_id=" .. string.format("-TR3000-%012d", i)
        .. "&port=" .. math.random(1024, 65000)
        .. "&uploaded=0&downloaded=0&left=" .. (i % 2) .. "&compact=1&numwant=30&event=started"
    )
  end
end

local next = 0

function request()
  next = next % #requests + 1
  return requests[next]
end

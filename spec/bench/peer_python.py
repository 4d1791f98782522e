"""Python's HTTP clients, from Debian's packages.

    peer_python.py CLIENT queries COUNT IN_FLIGHT BASE
    peer_python.py CLIENT fleet COUNT INTERVAL POLLS BASE     (aiohttp)
    peer_python.py CLIENT submit BASE IMAGE
    peer_python.py CLIENT download BASE                       (requests)

CLIENT is guide (requests as in the vendor's guide: no session), requests, httpx
or aiohttp. httpx and aiohttp ask in coroutines where IN_FLIGHT is not 0.
"""

import asyncio
import base64
import importlib
import sys
import time

PATH = "/v1/query/video_template_generation"
FIRST_ID = 401047179385000000
HEADERS = {"Authorization": "Bearer bench-key"}


def report(count, began):
    print(f"requests={count} cpu={time.process_time() - began:.6f}")


def check(status):
    assert status["status"] == "Processing"


def ask_in_turn(get, count, base):
    for i in range(count):
        params = {"task_id": str(FIRST_ID + i)}
        check(get(base + PATH, headers=HEADERS, params=params).json())


async def ask_httpx(count, in_flight, base):
    import httpx

    limits = httpx.Limits(max_connections=in_flight)
    async with httpx.AsyncClient(limits=limits, timeout=60) as client:

        async def ask_some(first, share):
            for i in range(first, first + share):
                params = {"task_id": str(FIRST_ID + i)}
                answer = await client.get(base + PATH, headers=HEADERS, params=params)
                check(answer.json())

        share = count // in_flight
        await asyncio.gather(*(ask_some(n * share, share) for n in range(in_flight)))


async def ask_aiohttp(count, in_flight, base):
    import aiohttp

    connector = aiohttp.TCPConnector(limit=in_flight)
    async with aiohttp.ClientSession(connector=connector) as client:

        async def ask_some(first, share):
            for i in range(first, first + share):
                params = {"task_id": str(FIRST_ID + i)}
                async with client.get(base + PATH, headers=HEADERS, params=params) as answer:
                    check(await answer.json())

        share = count // in_flight
        await asyncio.gather(*(ask_some(n * share, share) for n in range(in_flight)))


async def wait_aiohttp(count, interval, base):
    import aiohttp

    connector = aiohttp.TCPConnector(limit=100)
    async with aiohttp.ClientSession(connector=connector) as client:

        async def wait(task_id):
            while True:
                params = {"task_id": task_id}
                async with client.get(base + PATH, headers=HEADERS, params=params) as answer:
                    if (await answer.json())["status"] == "Success":
                        return
                await asyncio.sleep(interval)

        await asyncio.gather(*(wait(str(FIRST_ID + n + 1)) for n in range(count)))


def queries(client, count, in_flight, base):
    count, in_flight = int(count), int(in_flight)
    module = importlib.import_module("requests" if client == "guide" else client)
    began = time.process_time()
    if client == "guide":
        ask_in_turn(module.get, count, base)
    elif client == "requests":
        ask_in_turn(module.Session().get, count, base)
    elif client == "httpx" and in_flight == 0:
        ask_in_turn(module.Client().get, count, base)
    else:
        asyncio.run((ask_httpx if client == "httpx" else ask_aiohttp)(count, in_flight, base))
    report(count, began)


def fleet(_client, count, interval, polls, base):
    importlib.import_module("aiohttp")
    began = time.process_time()
    asyncio.run(wait_aiohttp(int(count), float(interval), f"{base}/fleet{polls}"))
    report(int(count) * int(polls), began)


async def post_aiohttp(url, body):
    import aiohttp

    async with aiohttp.ClientSession() as client:
        async with client.post(url, headers=HEADERS, json=body) as answer:
            return await answer.json()


def submit(client, base, image):
    with open(image, "rb") as file:
        text = base64.b64encode(file.read()).decode()
    value = "data:image/jpeg;base64," + text
    body = {"template_id": "393769180141805569", "media_inputs": [{"value": value}]}
    url = base + "/v1/video_template_generation"
    if client == "aiohttp":
        answer = asyncio.run(post_aiohttp(url, body))
    else:
        answer = importlib.import_module(client).post(url, headers=HEADERS, json=body).json()
    assert answer["task_id"]


def download(client, base):
    content = importlib.import_module(client).get(base + "/video.mp4").content
    with open("/dev/null", "wb") as sink:
        sink.write(content)
    assert len(content) == 1 << 30


if __name__ == "__main__":
    globals()[sys.argv[2]](sys.argv[1], *sys.argv[3:])

"""A cable between two TUN devices that delays packets and loses some: python3 lossy-cable.py DEVICE DEVICE DELAY LOSS SEED.

DELAY is in seconds each way, LOSS a share from 0 to 1. Says "ready" once both devices are there, and ends with its input.
"""

import fcntl
import heapq
import os
import random
import select
import struct
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TUN_NO_PI = 0x0001 | 0x1000
LARGEST_PACKET = 65_535


def open_tun(name: str) -> int:
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TUN_NO_PI))
    return device


def write(device: int, packet: bytes) -> None:
    try:
        os.write(device, packet)
    except OSError:
        pass  # An end that is not up yet, or full, loses the packet as a cable would.


def forward(ends: tuple[int, int], delay: float, loss: float, chance: random.Random) -> None:
    other = {ends[0]: ends[1], ends[1]: ends[0]}
    waiting: list[tuple[float, int, int, bytes]] = []
    count = 0
    while True:
        pause = max(0.0, waiting[0][0] - time.monotonic()) if waiting else None
        readable, _, _ = select.select([*ends, sys.stdin], [], [], pause)
        if sys.stdin in readable:
            return
        now = time.monotonic()
        for end in readable:
            packet = os.read(end, LARGEST_PACKET)
            if chance.random() < loss:
                continue
            count += 1
            heapq.heappush(waiting, (now + delay, count, other[end], packet))
        while waiting and waiting[0][0] <= now:
            _, _, end, packet = heapq.heappop(waiting)
            write(end, packet)


def main() -> None:
    near, far, delay, loss, seed = sys.argv[1:]
    ends = (open_tun(near), open_tun(far))
    print("ready", flush=True)
    forward(ends, float(delay), float(loss), random.Random(int(seed)))


main()

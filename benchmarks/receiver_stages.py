"""What each stage of the receiver costs: CPU-ms per second of one call, best of many rounds on one thread.

    python -m benchmarks.receiver_stages

The sum of the stages is the floor; what `receiver_load` measures above it is the loop around them, caches that many
calls share, the events over Redis and the posts to the recogniser. The model as shipped, run by onnxruntime one stream
at a time, is measured beside ours.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable

import numpy as np
import onnxruntime

from benchmarks.receiver_load import conversation
from protocol.messages import Listen
from rtp_receiver.call_stream import CallStream, StreamSettings
from rtp_receiver.datagrams import Datagrams, open_socket
from rtp_receiver.rtp import RtpPacket
from rtp_receiver.silero import SileroVad
from scripts.take_silero import ONNX_FILE

ROUNDS = 25
CHUNKS_PER_S = 16_000 / 512
PACKETS_PER_S = 50


def best_ms(work: Callable[[], object], times: int = 1) -> float:
    """CPU-ms of one of the `times` things that `work` does."""
    lowest = float("inf")
    for _ in range(ROUNDS):
        begin = time.thread_time()
        work()
        lowest = min(lowest, time.thread_time() - begin)
    return lowest * 1_000 / times


def packet_stages() -> dict[str, float]:
    """UDP, reordering with the buffer, endpointing."""
    datagrams = [RtpPacket(118, n, 320 * n, 7, payload).to_bytes() for n, payload in enumerate(conversation())]
    headers = [struct.unpack_from("!BBHII", datagram) for datagram in datagrams]
    payloads = [memoryview(datagram)[12:] for datagram in datagrams]
    count = len(datagrams)
    with open_socket("127.0.0.1", 0) as receiver, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(receiver.getsockname())
        batch = Datagrams(receiver)

        def received() -> float:
            lowest = float("inf")
            for _ in range(ROUNDS):
                for datagram in datagrams[:200]:
                    sender.send(datagram)
                begin = time.thread_time()
                batch.receive()
                lowest = min(lowest, time.thread_time() - begin)
            return lowest * 1_000 / 200

        udp_ms = received()

    def run(step: bool) -> None:
        row = memoryview(bytearray(1_024))
        stream = CallStream("c", StreamSettings())
        stream.listen(Listen("c", 0.0, 1, "fr"))
        stream.push(RtpPacket.parse(datagrams[0]), 0.0)
        for number in range(1, count):
            _, _, sequence_number, timestamp, ssrc = headers[number]
            stream.push_next(sequence_number, timestamp, ssrc, payloads[number], 0.0)
            while step and stream.waiting:
                stream.copy_next_chunk(row)
                stream.heard(0.9 if number % 100 > 70 else 0.0)
            if not step and number % 100 == 99:
                stream = CallStream("c", StreamSettings())
                stream.push(RtpPacket.parse(datagrams[number]), 0.0)

    pushed = best_ms(lambda: run(step=False), count)
    both = best_ms(lambda: run(step=True), count)
    return {
        "UDP receive, 200 at once": udp_ms * PACKETS_PER_S,
        "RTP parse in full (few packets need it)": best_ms(lambda: [RtpPacket.parse(d) for d in datagrams], count)
        * PACKETS_PER_S,
        "reorder and buffer": pushed * PACKETS_PER_S,
        "endpointing": max(0.0, both - pushed) * PACKETS_PER_S,
    }


def detector_stages() -> dict[str, float]:
    """The VAD at several numbers of streams per step, and the model as shipped."""
    vad = SileroVad()
    streams = [vad.open() for _ in range(128)]
    chunks = np.random.default_rng(0).integers(-2_000, 2_000, (128, 512)).astype(np.int16)
    result = {}
    for size in (1, 8, 16, 32, 64, 128):
        result[f"VAD, {size} streams per step"] = (
            best_ms(lambda size=size: vad.step(streams[:size], chunks[:size]), size) * CHUNKS_PER_S  # type: ignore[misc]
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(ONNX_FILE), options, providers=["CPUExecutionProvider"])
    zero = np.zeros((1, 1, 128), dtype=np.float32)
    feed = {"input": np.zeros((1, 576), dtype=np.float32), "h": zero, "c": zero}
    result["(onnxruntime, 1 stream per step)"] = best_ms(lambda: session.run(None, feed)) * CHUNKS_PER_S
    return result


def main() -> None:
    """Prints the table."""
    print("| stage | CPU-ms per call and s |")
    print("|---|---|")
    for name, cost in (packet_stages() | detector_stages()).items():
        print(f"| {name} | {cost:.3f} |")


if __name__ == "__main__":
    main()

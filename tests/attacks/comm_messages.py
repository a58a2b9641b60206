# Sends comm messages that no widget would send.
# %% extra
import comm

for data in ({"state": 5}, {"state": {"_model_name": "OutputModel", "_model_module": "@jupyter-widgets/output", "msg_id": ["a"]}}, {"method": "update", "state": None}, 3, None):
    try:
        made = comm.create_comm(target_name="jupyter.widget", data=data, metadata=7, buffers=[b"x"])
        made.send(data={"method": "update", "state": 7}, buffers=[b"x"])
        made.close(data=5)
    except Exception as error:
        print(type(error))

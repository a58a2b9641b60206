# Warnings, logging, traceback printing, try and except, assertions and finally.
# %% extra
import logging
import traceback
import warnings

warnings.filterwarnings("ignore", category=FutureWarning)
logging.basicConfig(level=logging.INFO)
logger = logging.getLogger(__name__)
logger.info("starting")
logging.warning("root %s", 1)
try:
    1 / 0
except ZeroDivisionError as error:
    logger.exception("division")
    traceback.print_exc()
    print(traceback.format_exc()[:20], type(error).__name__, error)
warnings.warn("only a warning")
# %% double
def double(x):
    warnings.warn("doubling")
    logger.info("double %s", x)
    try:
        return 2 * x
    except TypeError:
        raise
    finally:
        logger.debug("done")
